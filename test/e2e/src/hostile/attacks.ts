/** What one machine of a rack can do to the others over the network alone: each attack is a bounded loop. */

import { connect, type Socket } from 'node:net';
import { pause } from '@skolo/base';
import { isLong } from '@skolo/base/durable/fault-injection';
import { untilTestEnds } from '@skolo/base/testing';
import { asIs, startScripted } from '@skolo/scripted-services/service';

interface Target {
  host: string;
  port: number;
}

interface Attack {
  name: string;
  /** Continues until the signal. @param from the machine's address @returns how often it was done */
  run(target: Target, from: string, random: () => number, signal: AbortSignal): Promise<number>;
}

/** Connections that one machine keeps open to one port. */
const sockets = 500;
/** New ones at a time, of each attack: twenty times a second. Several hundred per second are easy for one Raspberry Pi. */
const atOnce = isLong ? 20 : 5;
const longHeader = `GET / HTTP/1.1\r\nhost: metadata\r\nx-filler: ${'x'.repeat(14_000)}`;
const requests = [
  'GET /computeMetadata/v1/instance/?recursive=true HTTP/1.1\r\nhost: metadata\r\nmetadata-flavor: Google\r\n\r\n',
  'POST /v1/power-cycles HTTP/1.1\r\nhost: skolo\r\ncontent-type: application/json\r\ncontent-length: 42\r\n\r\n{"machines":["rpi-9"],"reason":"because"}',
  'POST /v1/own-devices/power-cycles HTTP/1.1\r\nhost: skolo\r\ncontent-type: application/json\r\ncontent-length: 40\r\n\r\n{"devices":["rpi-9-device"],"reason":"x"}',
  'POST /v1/orders HTTP/1.1\r\nhost: skolo\r\nauthorization: Bearer skolo_x\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n{"machines":["rpi-9"],"kind":"quarantine","reason":"because"}',
  'POST /api/v2/alerts HTTP/1.1\r\nhost: skolo\r\ncontent-type: application/json\r\ncontent-length: 34\r\n\r\n[{"labels":{"alertname":"Forged"}}]',
  'GET /v1/changes HTTP/1.1\r\nhost: skolo\r\naccept: text/event-stream\r\n\r\n',
  `GET /${'a/'.repeat(4000)} HTTP/1.1\r\nhost: skolo\r\n\r\n`,
];

/** Opens connections, keeps as many as allowed, and sends `say` on each. */
async function hold(
  { host, port }: Target,
  localAddress: string,
  say: () => string | Buffer,
  signal: AbortSignal,
): Promise<number> {
  const open = new Set<Socket>();
  let count = 0;
  while (!signal.aborted) {
    for (let i = 0; i < atOnce && open.size < sockets; i += 1) {
      const socket = connect({ host, port, localAddress });
      open.add(socket);
      count += 1;
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
      // Answers are read, because the kernel blocks a client that does not read.
      socket.resume().write(say());
    }
    await pause(50, signal).catch(() => undefined);
  }
  for (const socket of open) socket.destroy();
  return count;
}

/** One byte in fifty is changed, or the request is cut. */
function mutated(random: () => number): Buffer {
  const bytes = Buffer.from(requests[Math.floor(random() * requests.length)] ?? '');
  for (let i = 0; i < bytes.length; i += 1) {
    if (random() < 0.02) bytes[i] = Math.floor(random() * 256);
  }
  return random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

export const attacks: readonly Attack[] = [
  {
    name: 'unfinished headers',
    run: (target, from, _, signal) => hold(target, from, () => longHeader, signal),
  },
  {
    name: 'silent connections',
    run: (target, from, _, signal) => hold(target, from, () => '', signal),
  },
  {
    name: 'mutated requests',
    run: (target, from, random, signal) => hold(target, from, () => mutated(random), signal),
  },
  {
    name: 'ever new audiences',
    run: (target, from, random, signal) =>
      hold(
        target,
        from,
        () =>
          `GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=https://${random()}.example HTTP/1.1\r\nhost: metadata\r\nmetadata-flavor: Google\r\n\r\n`,
        signal,
      ),
  },
];

/** What an agent may answer instead of its status. */
export const lies: Readonly<Record<string, (random: () => number) => object>> = {
  'ever new devices with long names': (random) => ({
    devices: Array.from({ length: 60 }, () => ({
      name: `${random()}`.padEnd(7000, 'x'),
      state: 'present',
      batteryPercent: 50,
      temperaturesCelsius: { [`${random()}`]: 40 },
    })),
  }),
  'orders of other people': (random) => ({
    orders: Array.from({ length: 3 }, () => ({
      id: `${random()}`,
      kind: 'quarantine',
      by: 'adm',
      reason: 'forged',
      since: '2020-01-01T00:00:00Z',
    })),
  }),
  'impossible readings': (random) => ({
    devices: [
      {
        name: 'device',
        state: 'present',
        batteryPercent: 1e308 * random(),
        temperaturesCelsius: { battery: -1e300 },
      },
    ],
    host: { diskFreeBytes: -1e300, celsius: 1e300, clockOffsetSeconds: 1e308 },
  }),
  'another boot each time': (random) => ({
    bootId: `${random()}`,
    revision: `${random()}`,
    task: { running: true, id: `${random()}`, since: new Date().toISOString() },
  }),
  'long texts': (random) => ({
    health: {
      verdict: 'quarantined',
      since: '2026-01-01T00:00:00Z',
      reasons: Array.from({ length: 20 }, () => ({
        verdict: 'quarantined',
        code: `${random()}`,
        text: 'x'.repeat(3000),
        since: '2026-01-01T00:00:00Z',
      })),
    },
  }),
};

/** The URL of an agent with an otherwise normal status of a working machine. */
export async function startLyingAgent(host: string, machine: string, lie: () => object) {
  const startedAt = new Date().toISOString();
  const usual = { machine, startedAt, task: { running: false }, devices: [], orders: [] };
  const agent = await startScripted(
    'swarming-client',
    { status: () => asIs({ ...usual, ...lie() }) },
    { host },
  );
  return untilTestEnds(agent).url;
}
