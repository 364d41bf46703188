/** What alert-to-pubsub accepts and rejects, with the memory of its deployment: the kernel ends a process that takes more. */

import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { measureJson } from '@skolo/base';
import { Spool } from '@skolo/base/durable';
import { tempDir } from '@skolo/base/testing';
import { startServiceProcess } from '@skolo/common/testing/own-process';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { z } from 'zod';
import { bundles } from '../../../scripts/bundle/bundles.mjs';
import { limitMemory, memoryOf } from './connections/memory-limit.ts';

const service = fileURLToPath(
  new URL('../../../services/alert-to-pubsub/src/main.ts', import.meta.url),
);
const nodeFlags = bundles.find(({ name }) => name === 'alert-to-pubsub')?.nodeFlags ?? [];
/** A connection for each request: a service closes one that is idle while a large body is made. */
const json = { 'content-type': 'application/json', connection: 'close' };
const Message = z.object({ instance: z.string().exactOptional(), __state__: z.string() });

/** A sink that accepts messages once it is back, and records them. */
async function startSink() {
  let isAway = true;
  const arrived: string[] = [];
  const sink = createServer((request, response) => {
    void text(request).then((body) => {
      const { instance, __state__: state } = Message.parse(JSON.parse(body));
      if (!isAway && instance !== undefined) {
        arrived.push(`${instance} ${state === 'active' ? 'firing' : state}`);
      }
      response.writeHead(isAway ? 503 : 200).end();
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void sink.close());
  await once(sink, 'listening');
  const { port } = sink.address() as AddressInfo;
  function comeBack(): void {
    isAway = false;
  }
  return { port, arrived, comeBack };
}

it('alerts up to the limit wait, survive a restart, and arrive, within the memory of the pod', async (context) => {
  const { port, arrived, comeBack } = await startSink();
  const start = await inPod(context, port);
  const first = await start();

  let accepted = 0;
  for (let status = 200; status === 200; ) {
    const body = JSON.stringify(Array.from({ length: 500 }, (_, i) => alertOf(accepted + i)));
    const answer = await fetch(`${first.url}/api/v2/alerts`, {
      method: 'POST',
      headers: json,
      body,
    });
    await answer.text();
    ({ status } = answer);
    expect([200, 503]).toContain(status);
    if (status === 200) accepted += 500;
  }
  expect(accepted).toBeGreaterThan(45_000);
  for (const entry of Object.values(costly)) await post(first.url, body(entry, 0.95));
  await first.end('SIGTERM');
  comeBack();
  await start();
  await expect
    .poll(() => new Set(arrived).size, { interval: 1000 })
    .toBeGreaterThanOrEqual(accepted);
});

const list = (entries: number, entry: (i: number) => string) =>
  `[${Array.from({ length: entries }, (_, i) => entry(i)).join(',')}]`;
/** An object with names that no other has. */
const ownNames = (names: number, value: string) => (i: number) => {
  const pairs = Array.from(
    { length: names },
    (_, j) => `"${(i * names + j).toString(36)}":${value}`,
  );
  return `{${pairs.join(',')}}`;
};
/** By what the entries of a list are. */
const costly: Readonly<Record<string, (i: number) => string>> = {
  'objects with seven names of their own': ownNames(7, '0'),
  'objects with a name of their own': ownNames(1, '0'),
  'objects with 60 numbers under names of their own': ownNames(60, '1e308'),
  'objects with an integer as name': () => '{"4294967294":0}',
  'empty objects': () => '{}',
  numbers: () => '0',
  'alerts with a label of their own': (i) => `{"labels":{"k${i.toString(36)}":"a"}}`,
  'alerts with many labels of their own': (i) => `{"labels":${ownNames(40, '"a"')(i)}}`,
  'long texts': () => JSON.stringify({ labels: { a: 'x'.repeat(500_000) } }),
  escapes: () => JSON.stringify({ labels: { a: '\n\ud83d'.repeat(50_000) } }),
};
/** Shapes of what is kept of an alert, by the field that has them. */
const kept: Readonly<Record<string, (i: number) => string>> = {
  'an unknown field of small objects': (i) =>
    `{"labels":{"a":"${i}"},"junk":${list(300_000, () => '{}')}}`,
  'an unknown field that is deep': (i) =>
    `{"labels":{"a":"${i}"},"junk":${'{"a":['.repeat(25)}${list(20_000, ownNames(1, '{}'))}${']}'.repeat(25)}}`,
  'unknown fields below the limit': (i) =>
    `{"labels":{"a":"${i}"},"junk":[${ownNames(150, '{}')(i)},${ownNames(150, '1e308')(i + 1e6)}]}`,
  'labels of their own': (i) => `{"labels":${ownNames(40, '"語"')(i)}}`,
  'one label of its own': (i) => `{"labels":{"k${i.toString(36)}":"a"}}`,
  'thousands of labels in one alert': (i) => `{"labels":${ownNames(50_000, '"a"')(i)}}`,
  'as many labels as one alert may have': (i) => `{"labels":${ownNames(6000, '"a"')(i)}}`,
  'a text in two bytes but for one character': (i) =>
    `{"labels":{"a":"${i}"},"annotations":{"a":"${'x'.repeat(1_900_000)}語"}}`,
  'a text of many megabytes': (i) =>
    `{"labels":{"a":"${i}"},"annotations":{"a":"${'x'.repeat(7_400_000)}語"}}`,
};

/** What the deployment's memory allows. */
const share = memoryOf('alert-to-pubsub') / 4;

/** A list of as many of them as take this part of what is allowed. */
function body(entry: (i: number) => string, part: number): string {
  const some = Array.from({ length: 10 }, (_, i) => entry(1e6 + i)).join(',');
  return list(Math.ceil((10 * share * part) / measureJson(Buffer.from(some)).memory), entry);
}

describe('what is kept, within the memory of the pod', () => {
  it.for(Object.entries(kept))(
    'survives restarts, and alerts are delivered: %s',
    async ([, entry], context) => {
      const { port, arrived, comeBack } = await startSink();
      const start = await inPod(context, port, 4);
      let { url, end } = await start();
      expect(await post(url, JSON.stringify([alertOf(1)]))).toBe(200);

      // Two large requests, and then as many as fill the memory for known alerts.
      const some = measureJson(Buffer.from(entry(1e6))).memory;
      const most = Math.max(1, Math.floor((share * 0.6) / some));
      for (let request = 0; request < 8; request += 1) {
        const alerts = list(request < 2 ? 1 : most, (i) => entry(request * most + i));
        expect([200, 400, 413, 503]).toContain(await post(url, alerts));
      }
      for (let restarts = 0; restarts < 2; restarts += 1) {
        await end('SIGKILL');
        ({ url, end } = await start());
      }
      comeBack();
      const ended = { ...alertOf(1), endsAt: new Date().toISOString() };
      expect(await post(url, JSON.stringify([ended]))).toBe(200);

      await expect.poll(() => arrived, { interval: 200 }).toContain('h-1:9100 resolved');
    },
  );

  it.for<[string, number, (n: number) => object]>([
    ['very large fields', 8, (n) => ({ ...alertOf(n), more: { junk: Array(300_000).fill({}) } })],
    [
      'very long texts',
      60,
      (n) => ({ ...alertOf(n), annotations: { text: `${n}${'x'.repeat(5_000_000)}語` } }),
    ],
  ])('starts if an earlier version has kept more than fits: %s', async ([, count, of], context) => {
    const { port, arrived, comeBack } = await startSink();
    const start = await inPod(context, port, 2);
    const spool = await Spool.open(join(start.dir, 'state', 'spool'));
    for (let n = 0; n < count; n += 1) await spool.append([JSON.stringify(messageOf(n, of(n)))]);
    await spool.close();

    const { url, end } = await start();
    // Alerts that fire may take up all the memory for known ones.
    const status = await post(url, JSON.stringify([alertOf(count)]));
    expect([200, 503]).toContain(status);
    await end('SIGKILL');
    comeBack();
    await start();

    const last = `h-${status === 200 ? count : count - 1}:9100`;
    await expect.poll(() => arrived.join(), { interval: 500 }).toContain(last);
  });
});

describe('within the memory of the pod', () => {
  it.for(Object.entries(costly))(
    'the service survives %s, and rejects those that take too much',
    async ([, entry], context) => {
      const { url } = await (await inPod(context, 1))();

      // An entry that is not an alert is 400 at this endpoint, and what no message can hold is 503 or 413.
      expect([200, 400, 413, 503]).toContain(await post(url, body(entry, 0.95)));
      expect(await post(url, body(entry, 1.2))).toBe(413);
      expect(await post(url, JSON.stringify([alertOf(1)]))).toBe(200);
    },
  );

  it('bodies that are too large together are 503, and the service goes on', async (context) => {
    const { url } = await (await inPod(context, 1))();
    const large = body(ownNames(1, '0'), 0.5);

    const statuses = await Promise.all(Array.from({ length: 24 }, () => post(url, large)));

    // Not a single one is an alert, which v2 answers with 400.
    expect([...new Set(statuses)].sort()).toEqual([400, 503]);
    expect(await post(url, JSON.stringify([alertOf(1)]))).toBe(200);
  });

  it.for(['ASCII', 'with … and 🔥'])(
    '10,000 alerts of 2 kB with 30 labels are accepted: %s',
    async (text, context) => {
      const { url } = await (await inPod(context, 1))();
      const names = Array.from({ length: 25 }, (_, i) => `label_number_${i}`);
      const more = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));
      const alerts = Array.from({ length: 10_000 }, (_, n) => {
        const alert = alertOf(n);
        const labels = { ...alert.labels, ...more };
        const missing = 1990 - Buffer.byteLength(JSON.stringify({ ...alert, labels }));
        return {
          ...alert,
          labels,
          annotations: { ...alert.annotations, text: text.padEnd(missing, 'x') },
        };
      });

      expect(await post(url, JSON.stringify(alerts))).toBe(200);
    },
  );
});

async function post(url: string, body: string): Promise<number> {
  const headers = { ...json, 'content-encoding': 'gzip' };
  const answer = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers,
    body: gzipSync(body, { level: 1 }),
  });
  await answer.text();
  return answer.status;
}

/** Starts the service with the memory of its deployment; again, to restart it. @param sink the port of its sinks */
async function inPod(context: TestContext, sink: number, sinks = 1) {
  const limit = limitMemory('alerts', memoryOf('alert-to-pubsub'));
  if (limit === undefined) return context.skip('no cgroup with a limit of memory can be made');
  onTestFinished(() => limit.remove());
  const dir = await tempDir();
  await writeFile(join(dir, 'rack.yaml'), rackYaml(sink, sinks));
  await writeFile(join(dir, 'token'), 'a-fixed-token', { mode: 0o600 });
  await mkdir(join(dir, 'state'));
  const flags = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')];
  const start = () => startServiceProcess(service, flags, { nodeFlags, within: limit.command });
  return Object.assign(start, { dir });
}

const rackYaml = (port: number, sinks: number) => `
rack: rack1
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack1, address: 127.0.0.1 }
identities:
  bots: { project: p, email: bots@p.example, credentials: { fixed: token } }
machines:
  rpi-1: { kind: rpi, address: 127.0.1.1, identity: bots }
services:
  alert-to-pubsub:
    pubsub: false
    sinks:
${Array.from({ length: sinks }, (_, n) => `      - { name: pagers-${n}, kind: http, url: "http://127.0.0.1:${port}" }`).join('\n')}
`;

/** Of the usual size, from kube/base. */
const alertOf = (n: number) => ({
  labels: {
    alertname: 'InstanceDown',
    cluster: 'rack4',
    instance: `h-${n}:9100`,
    job: 'node',
    severity: 'critical',
  },
  annotations: {
    description: `h-${n}:9100 of job node has been down for more than 5 minutes.`,
    summary: `Instance h-${n}:9100 down`,
  },
  generatorURL: 'http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
  endsAt: '2099-01-01T00:00:00Z',
});

/** A message of the spool about an alert. */
function messageOf(n: number, chosen: object) {
  const at = '2026-11-20T07:30:00.000Z';
  const fingerprint = n.toString(16).padStart(16, '0');
  const alert = { fingerprint, status: 'firing', startsAt: at, ...chosen };
  const id = fingerprint.padStart(32, '0');
  return { kind: 'transition', id, at, alert, endpoint: 'v2', first: at, last: at, count: 1 };
}
