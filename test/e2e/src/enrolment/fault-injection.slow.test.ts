/** Enrolment of many, with power cuts at any moment, an edit of rack.yaml midway, and garbage. */

import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pause } from '@skolo/base';
import { countRounds, isLong, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { startEnrolmentRack } from './rack.ts';

const patiently = { interval: 100 };
/** That join at once. */
const many = isLong ? 200 : 20;
const boardOf = (n: number) => ({
  serial: `10000000${n.toString(16).padStart(8, '0')}`,
  mac: `dc:a6:32:00:00:${n.toString(16).padStart(2, '0')}`,
});
const name = (n: number) => `rpi-${String(n).padStart(3, '0')}`;
const machines = (count: number) =>
  Array.from({ length: count }, (_, at) => at + 1)
    .map(
      (n) => `  ${name(n)}: { kind: rpi, address: 127.0.1.${n}, serial: "${boardOf(n).serial}" }`,
    )
    .join('\n');

it(`joins a Pi whose power fails at any moment, under one name`, async () => {
  const cuts = countRounds(2, 100);
  const random = seeded(testSeed());
  const rack = await startEnrolmentRack(machines(cuts + 1));
  const image = await rack.image();
  const joined: number[] = [];
  let pi = await rack.card(boardOf(1), image);
  const check = async (n: number) => {
    expect(await pi.read('/etc/hostname')).toBe(`${name(n)}\n`);
    expect(await pi.read('/etc/netplan/60-skolo.yaml')).toContain(`127.0.1.${n}/8`);
    expect(await pi.has('/var/lib/skolo-enrol/secret')).toBe(false);
    joined.push(n);
  };

  for (let cut = 0; cut < cuts; cut += 1) {
    const n = joined.length + 1;
    const done = await Promise.race([pi.boot().then(() => true), pause(random() * 800)]);
    pi.cutPower();
    if (!done) continue;
    await check(n);
    pi = await rack.card(boardOf(n + 1), image);
  }
  await pi.boot();
  await check(joined.length + 1);

  console.log(`${joined.length} Pis joined with ${cuts + 1 - joined.length} power cuts`);
  const { enrolled } = await rack.client().enrolments();
  expect(enrolled.map((each) => each.name).sort()).toEqual(joined.map(name));
});

it(`joins ${many} Pis at once, each under its name`, async () => {
  const rack = await startEnrolmentRack(machines(many));
  const image = await rack.image();
  const all = Array.from({ length: many }, (_, at) => at + 1);
  const pis = await Promise.all(all.map((n) => rack.card(boardOf(n), image)));
  const start = performance.now();

  await Promise.all(pis.map((pi) => pi.boot()));

  console.log(`${many} Pis joined within ${Math.round((performance.now() - start) / 1000)} s`);
  const names = await Promise.all(pis.map((pi) => pi.read('/etc/hostname')));
  expect(names).toEqual(all.map((n) => `${name(n)}\n`));
  const tokens = await Promise.all(pis.map((pi) => pi.read('/etc/rancher/k3s/token')));
  expect(new Set(tokens).size).toBe(many);
  expect((await rack.client().enrolments()).enrolled).toHaveLength(many);
});

it('joins a Pi that waits when rack.yaml gets it, whatever garbage arrives', async () => {
  const rack = await startEnrolmentRack(machines(1));
  const image = await rack.image();
  const pi = await rack.card(boardOf(2), image);
  const booting = pi.boot();
  await expect.poll(() => pi.log, patiently).toContain('no machine in rack.yaml');

  const key = await readFile(join(pi.root, 'var/lib/skolo-enrol/key.pem'));
  const cert = await readFile(join(pi.root, 'var/lib/skolo-enrol/cert.pem'));
  const ask = (more: object, content = '') =>
    new Promise<number>((done, fail) => {
      const options = {
        port: image.port,
        method: 'POST',
        path: '/v1/enrol',
        rejectUnauthorized: false,
      };
      const headers = { 'content-type': 'application/json' };
      const asking = request({ ...options, headers, ...more }, (response) => {
        response.resume();
        done(response.statusCode ?? 0);
      });
      asking.on('error', fail).end(content);
    });
  const { serial } = boardOf(1);
  const body = JSON.stringify({ serial, macs: [], model: '', secret: image.secret });
  // Without a key, with one that is only claimed, and without sense.
  const claimed = { 'content-type': 'application/json', 'x-skolo-key': 'a'.repeat(64) };
  expect(await ask({}, body)).toBe(400);
  expect(await ask({ headers: claimed }, body)).toBe(400);
  for (const content of ['', '{', '[]', '{"serial":"x"}', `${body}${' '.repeat(2_000_000)}`]) {
    expect(await ask({ key, cert }, content)).toBeGreaterThanOrEqual(400);
  }
  expect(await ask({ key, cert, method: 'GET', path: '/v1/lockdown' })).toBe(403);
  expect(await ask({ key, cert, method: 'GET', path: '/v1/machines' })).toBe(404);
  for (let at = 0; at < 50; at += 1) {
    connect(image.port, '127.0.0.1')
      .on('error', () => undefined)
      .end(Buffer.alloc(100, at));
  }

  await rack.edit(machines(2));
  await booting;
  expect(pi.log).toContain('rpi-002 has joined the cluster');
  expect((await rack.client().enrolments()).enrolled).toMatchObject([{ name: 'rpi-002' }]);
});
