/** Neighbours on the network that open connections without end, against services with the memory of their deployments. */

import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { errorText } from '@skolo/base';
import { countRounds } from '@skolo/base/durable/fault-injection';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { startEnrolmentRack } from '../enrolment/rack.ts';
import { startAttacker } from '../hostile/attacker.ts';
import { startService } from '../service-process.ts';
import type { Attack } from './hostile-neighbours.ts';
import { limitMemory, memoryOf } from './memory-limit.ts';

const known = '127.0.1.1';
const rackYaml = `
rack: rack1
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack1, address: 127.0.0.1 }
access: { anonymousRead: [127.0.1.0/24] }
identities:
  bots: { project: p, email: bots@p.example, credentials: { fixed: token } }
machines:
  rpi-[1-3]: { kind: rpi, address: '127.0.1.[1-3]', identity: bots }
services:
  # The known machine asks as fast as it can.
  metadata-server: { rateLimit: { perSecond: 1000000, burst: 1000000 } }
`;

/** What the known machine wants of each. */
const wanted = {
  'metadata-server': '/computeMetadata/v1/instance/service-accounts/default/token',
  'power-cycle-daemon': '/v1/machines',
  'router-backup': '/openapi.json',
  'alert-to-pubsub': '/openapi.json',
  'machine-state': '/openapi.json',
} as const;
type Name = keyof typeof wanted;

/** A service in a cgroup with the memory of its deployment. */
async function startLimited(context: TestContext, name: Name) {
  const limit = limitMemory(name, memoryOf(name));
  if (limit === undefined) return context.skip('no cgroup with a limit of memory can be made');
  const dir = await mkdtemp(join(tmpdir(), 'skolo-connections-'));
  onTestFinished(async () => {
    await rm(dir, { recursive: true, force: true });
    limit.remove();
  });
  await writeFile(join(dir, 'rack.yaml'), rackYaml);
  await writeFile(join(dir, 'token'), 'a-fixed-token', { mode: 0o600 });
  await mkdir(join(dir, 'state'));
  const flags = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')];
  const { url, metricsUrl } = await startService(name, flags, {}, limit.command);
  return { limit, ports: [url, metricsUrl].map((at) => Number(new URL(at).port)) };
}

/** Fulfilled once all connections were opened; those that the server leaves open stay until the end of the test. */
async function attack(how: Attack): Promise<void> {
  const child = startAttacker(new URL('hostile-neighbours.ts', import.meta.url), how);
  await once(child.stdout, 'data');
}

/** The status, or why there is none. */
async function ask(port: number, path: string, localAddress: string): Promise<unknown> {
  const asking = request({
    port,
    path,
    host: '127.0.0.1',
    localAddress,
    agent: false,
    headers: { 'Metadata-Flavor': 'Google' },
  }).end();
  try {
    const [response] = await once(asking, 'response');
    await text(response);
    return response.statusCode;
  } catch (error) {
    return errorText(error);
  }
}

/** Asks again and again until `until` is fulfilled; the answers. */
async function askUntil(until: Promise<void>, each: () => Promise<unknown>) {
  let isOver = false;
  void until.then(() => {
    isOver = true;
  });
  const answers = new Set<unknown>();
  do {
    answers.add(await each());
  } while (!isOver);
  await until;
  return answers.add(await each());
}

const others: readonly Name[] = [
  'power-cycle-daemon',
  'router-backup',
  'alert-to-pubsub',
  'machine-state',
];
const neighbours = Array.from({ length: 75 }, (_, i) => `127.0.3.${i + 1}`);

describe('with the memory of its deployment', () => {
  // 8 kB are within the limit of headers, so these wait for the rest; the others are rejected.
  it.for([14_000, 7900])(
    `the metadata server gives a machine its token while its neighbours send headers of %i bytes that never end`,
    async (bytes, context) => {
      const { limit, ports } = await startLimited(context, 'metadata-server');
      const [port = 0] = ports;

      const attacking = attack({
        ports: [port],
        from: neighbours,
        count: countRounds(3000, 15_000),
        bytes,
      });
      const answers = await askUntil(attacking, () => ask(port, wanted['metadata-server'], known));

      expect([...answers]).toEqual([200]);
      expect(limit.most()).toBeLessThan(limit.limit);
    },
  );

  it.for(others)(
    '%s answers a machine while one neighbour sends headers that never end to both of its ports',
    async (name, context) => {
      const { ports } = await startLimited(context, name);
      const [port = 0, metricsPort = 0] = ports;

      const attacking = attack({
        ports,
        from: ['127.0.3.1'],
        count: countRounds(1000, 8100),
        bytes: 14_000,
      });
      const answers = await askUntil(attacking, () => ask(port, wanted[name], known));

      // A view is shed for a moment where the whole computer is overloaded.
      expect([...answers].filter((each) => each !== 503)).toEqual([200]);
      expect(await ask(metricsPort, '/healthz', '127.0.0.1')).toBe(200);
    },
  );
});

it('a Pi is enrolled while its neighbours hold 520 idle connections to the endpoint', async () => {
  const board = { serial: '10000000f00dcafe', mac: 'dc:a6:32:00:00:01' };
  const rack = await startEnrolmentRack(
    '  rpi-1: { kind: rpi, address: 127.0.1.1, mac: dc:a6:32:00:00:01 }',
  );
  const image = await rack.image();
  await attack({ ports: [image.port], from: neighbours, count: 520, bytes: 0 });
  const pi = await rack.card(board, image);

  await pi.boot();

  expect(pi.log).toContain('rpi-1 has joined the cluster');
});
