/** Enrolment by the real scripts of a shared image and the real service, with faults on both sides. */

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { sha256 } from '@skolo/base';
import { listen } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { selfSigned } from './fake-cluster.ts';
import { startEnrolmentRack } from './rack.ts';

const board = { serial: '10000000f00dcafe', mac: 'dc:a6:32:00:00:01' };
const neighbour = 'dc:a6:32:00:00:04';
const machines = `  rpi-1: { kind: rpi, address: 127.0.1.1, mac: dc:a6:32:00:00:01 }
  rpi-2: { kind: rpi, serial: "10000000000000b2" }
  rpi-3: { kind: rpi, address: 127.0.1.3 }`;
const patiently = { interval: 100 };
const pairing = '/var/lib/lockdown/00008101-000A1B2C3D4E5F60.plist';

it('gives a Pi of rack.yaml its name, its address and a token, and keeps its pairing records for the next card', async () => {
  const rack = await startEnrolmentRack(machines);
  const image = await rack.image();
  const pi = await rack.card(board, image);

  await pi.boot();

  expect(pi.log).toContain('rpi-1 has joined the cluster');
  expect(await pi.read('/etc/hostname')).toBe('rpi-1\n');
  expect(await pi.read('/etc/hosts')).toContain('127.0.1.1 rpi-1\n127.0.0.8\tjumphost-rack4');
  expect(await pi.read('/etc/rancher/k3s/config.yaml')).toMatch(/node-ip: "?127\.0\.1\.1"?\n/);
  expect(await pi.read('/etc/netplan/60-skolo.yaml')).toContain('127.0.1.1/8');
  const token = (await pi.read('/etc/rancher/k3s/token')).trim();
  // k3s compares it with the file of the server, byte for byte.
  const authority = await readFile(join(rack.dir, 'ca.crt'));
  const digest = sha256(authority);
  expect(rack.cluster.tokens.map((each) => `K10${digest}::${each}`)).toEqual([token]);
  expect(rack.cluster.deleted).toEqual(['rpi-1', 'rpi-1.node-password.k3s']);
  expect(await pi.has('/var/lib/skolo-enrol/secret')).toBe(false);
  expect(pi.log).not.toContain(token.slice(-16));
  expect(await rack.client().enrolments()).toMatchObject({
    waiting: [],
    enrolled: [{ name: 'rpi-1', serial: board.serial }],
  });
  const { entries } = await rack
    .client()
    .history({ params: { name: 'rpi-1' }, query: { kind: 'note' } });
  expect(entries).toMatchObject([{ by: 'enrolment' }]);

  await mkdir(join(pi.root, '/var/lib/lockdown'), { recursive: true });
  await writeFile(join(pi.root, pairing), '<plist>secret</plist>');
  expect(await pi.storeLockdown()).toBe(0);
  // The same board with another card.
  const burnt = await rack.card(board, image);
  const booting = burnt.boot();
  await expect.poll(() => burnt.log, patiently).toContain('another SD card has the name rpi-1');
  const { waiting } = await rack.client().enrolments();
  await rack.client().adopt({
    body: { key: waiting[0]?.key ?? '', name: 'rpi-1', reason: 'a new card' },
  });
  await booting;
  expect(await burnt.read(pairing)).toBe('<plist>secret</plist>');
  expect(await burnt.storeLockdown()).toBe(0);
  // The previous key is void.
  expect(await pi.storeLockdown()).toBe(1);
  expect(pi.log).toContain('another SD card has its name');
});

it('gives a task that is root on its Pi the name of this Pi alone, and nothing once a person revokes its key', async () => {
  const rack = await startEnrolmentRack(`${machines}\n  rpi-4: { kind: rpi, mac: ${neighbour} }`);
  const image = await rack.image();
  const pi = await rack.card(board, image);
  await pi.boot();
  const { serial } = board;
  const asks = (more: object = {}) =>
    pi.ask(image.port, '/v1/enrol', { serial, macs: [neighbour], model: 'Pi', ...more });

  expect(await asks()).toEqual([200, expect.stringContaining('name=rpi-1\n')]);
  expect(await asks({ secret: image.secret })).toEqual([
    200,
    expect.stringContaining('name=rpi-1\n'),
  ]);
  expect(await asks({ serial: '10000000000000b2' })).toEqual([
    202,
    expect.stringMatching(/^copied: /),
  ]);
  expect(rack.cluster.deleted).not.toContain('rpi-4');

  const key = (await rack.client().enrolments()).enrolled[0]?.key ?? '';
  const revoked = await rack.client().revokeKey({ params: { key } });
  expect(revoked).toMatchObject({ key, name: 'rpi-1', serial, by: 'ann' });
  await rack.killService();
  await rack.startService();

  const nothing = [403, expect.stringContaining('was revoked')];
  expect(await asks()).toEqual(nothing);
  expect(await asks({ serial: '10000000000000b2', secret: image.secret })).toEqual(nothing);
  expect(await pi.ask(image.port, '/v1/lockdown')).toEqual(nothing);
  expect(await rack.client().revokeKey({ params: { key } })).toEqual(revoked);
  expect(await rack.client().enrolments()).toMatchObject({
    waiting: [],
    enrolled: [],
    revoked: [revoked],
  });
  await expect(rack.client().revokeKey({ params: { key: 'a'.repeat(64) } })).rejects.toThrow(
    /no SD card with the key aaaaaaaa/,
  );

  // The next card of this board needs no decision.
  const next = await rack.card(board, image);
  await next.boot();
  expect(next.log).toContain('rpi-1 has joined the cluster');
});

it('lets a Pi wait that nobody knows, that somebody imitates, or whose name is alive, until a person decides', async () => {
  const rack = await startEnrolmentRack(machines);
  // From the start: the service remembers for seconds which nodes are ready.
  rack.cluster.ready.add('rpi-1');
  const image = await rack.image();
  const waits = async (code: string) => {
    await expect
      .poll(
        async () => (await rack.client().enrolments()).waiting.map((each) => each.code),
        patiently,
      )
      .toContain(code);
    const { waiting } = await rack.client().enrolments();
    return waiting.find((each) => each.code === code);
  };

  const stranger = await rack.card({ serial: '1000000000000099', mac: 'dc:a6:32:00:00:99' }, image);
  const settled = stranger.boot();
  const unknown = await waits('unknown');
  expect(unknown).toMatchObject({
    serial: '1000000000000099',
    model: 'Raspberry Pi 4 Model B Rev 1.4',
  });
  await expect
    .poll(() => stranger.log, patiently)
    .toContain('no machine in rack.yaml has this serial number or MAC address');
  const key = unknown?.key ?? '';
  await expect(
    rack.client().adopt({ body: { key, name: 'rpi-9', reason: 'new' } }),
  ).rejects.toThrow(
    /rack.yaml does not contain a Raspberry Pi named rpi-9; .*; did you mean "rpi-1"/,
  );
  await rack.client().adopt({ body: { key, name: 'rpi-3', reason: 'new' } });
  await settled;
  expect(stranger.log).toContain('rpi-3 has joined the cluster');

  // Its serial number is that of rpi-2, its MAC address that of rpi-1.
  const odd = await rack.card({ serial: '10000000000000b2', mac: board.mac }, image);
  void odd.boot();
  expect(await waits('conflict')).toMatchObject({ name: 'rpi-2' });
  odd.cutPower();

  const imitation = await rack.card(board, image);
  const taken = imitation.boot();
  const alive = await waits('alive');
  const body = { key: alive?.key ?? '', name: 'rpi-1', reason: 'it is the new one' };
  await expect(rack.client().adopt({ body })).rejects.toThrow(
    /rpi-1 is already running on another/,
  );
  const other = await rack.card(board, image);
  void other.boot();
  await waits('rivals');
  await rack.client().adopt({ body: { ...body, force: true } });
  await taken;
  expect(imitation.log).toContain('rpi-1 has joined the cluster');
  expect(other.log).not.toContain('is rpi-1');

  // The card of rpi-3 was copied to another board.
  const copy = await rack.card({ serial: '10000000000000c3', mac: 'dc:a6:32:00:00:c3' }, image);
  await cp(join(stranger.root, 'var/lib/skolo-enrol'), join(copy.root, 'var/lib/skolo-enrol'), {
    recursive: true,
  });
  void copy.boot();
  expect(await waits('copied')).toMatchObject({ name: 'rpi-3' });
});

it('tells nothing to a server with another key, and nothing to a Pi without the secret', async () => {
  const rack = await startEnrolmentRack(machines);
  const image = await rack.image();
  const [key, cert] = [join(rack.dir, 'other.pem'), join(rack.dir, 'other.crt')];
  await selfSigned(key, cert, 'IP:127.0.0.1');
  let asked = 0;
  const man = createServer(
    { key: await readFile(key), cert: await readFile(cert) },
    (_, response) => {
      asked += 1;
      response.end();
    },
  );
  const port = await listen(man);

  const deceived = await rack.card(board, { ...image, port });
  void deceived.boot();
  await expect
    .poll(() => deceived.log, patiently)
    .toContain('does not have the key that this image expects');
  expect(asked).toBe(0);

  for (const secret of ['0123456789abcdef.wrong-secret', `${image.secret}x`]) {
    const without = await rack.card(board, { ...image, secret });
    void without.boot();
    await expect
      .poll(() => without.log, patiently)
      .toContain("the image's enrolment secret is unknown");
  }
  const { secrets } = await rack.client().enrolments();
  await rack.client().revokeEnrolmentSecret({ params: { id: secrets[0]?.id ?? '' } });
  const late = await rack.card(board, image);
  void late.boot();
  await expect.poll(() => late.log, patiently).toContain('is unknown');
  expect(await rack.client().enrolments()).toEqual({
    waiting: [],
    enrolled: [],
    revoked: [],
    secrets: [],
  });
  expect(rack.cluster.tokens).toEqual([]);
});

it('gives one name to one key, though the service dies between the decision and the answer, and the cluster is down', async () => {
  const rack = await startEnrolmentRack(machines);
  const image = await rack.image();
  const pi = await rack.card(board, image);
  rack.cluster.isDown = true;
  const booting = pi.boot();
  await expect
    .poll(() => pi.log, patiently)
    .toContain("the cluster's API server is not responding");

  const dying = new Promise<void>((done) => {
    rack.cluster.onToken = () => {
      done();
      // No answer, ever.
      return new Promise(() => undefined);
    };
  });
  rack.cluster.isDown = false;
  await dying;
  await rack.killService();
  rack.cluster.onToken = () => undefined;
  await rack.startService();
  await booting;

  expect(pi.log).toContain('rpi-1 has joined the cluster');
  const { enrolled } = await rack.client().enrolments();
  expect(enrolled).toMatchObject([{ name: 'rpi-1', serial: board.serial }]);
  expect(rack.cluster.tokens).toHaveLength(1);
});
