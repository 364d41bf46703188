/**
 * One device of a rack attacks the service that reads it. The service survives and responds, and another device is switched or backed up
 * meanwhile. In full, it writes docs/reference/device-attacks.json, from which the page of measurements is made.
 */

import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { isLong } from '@skolo/base/durable/fault-injection';
import type { Attack } from '@skolo/simulators';
import { afterAll, expect, it } from 'vitest';
import { type AttackedService, attack, reads, type Transport } from './attacked-service.ts';

type Pattern = Attack['pattern'];

const services: readonly AttackedService[] = ['power-cycle-daemon', 'router-backup'];
const transports: readonly Transport[] = ['ssh', 'ssh exec', 'telnet', 'HTTP', 'SNMP', 'MQTT'];
const terminals: readonly Transport[] = ['ssh', 'telnet'];
/** Each with the transports in which it exists. */
const patterns: Readonly<Partial<Record<Pattern, readonly Transport[]>>> = {
  'line ends': transports,
  'one-byte packets': transports,
  'long lines': transports,
  'escape sequences': transports,
  'deep nesting': transports,
  endless: transports,
  'slow drip': transports,
  compression: ['HTTP'],
  'painted line ends': terminals,
  'escape sequences in one-byte packets': terminals,
  'carriage returns and backspaces': terminals,
  words: terminals,
  prompts: terminals,
  pagers: terminals,
  'option changes': ['telnet'],
  'lines before its version': ['ssh'],
  questions: ['ssh'],
  channels: ['ssh'],
  'key exchanges': ['ssh'],
  'standard error': ['ssh exec'],
  headers: ['HTTP'],
  'early hints': ['HTTP'],
  'nested objects': ['HTTP'],
  'small elements': ['HTTP'],
  'many keys': ['HTTP'],
  'open tags': ['HTTP'],
  'a loop': ['SNMP'],
  'long identifiers': ['SNMP'],
  'responses to other requests': ['SNMP'],
  'responses to pings': ['MQTT'],
};

interface Cell {
  service: AttackedService;
  transport: Transport;
  pattern: Pattern;
  /** `and its end`: just less than may be read, so that all of it is processed, and then the prompt or end. */
  end: 'and its end' | 'without end';
}

const all = Object.entries(patterns).flatMap(([name, among]) =>
  among.flatMap((transport) =>
    services
      .filter((service) => reads(service, transport))
      .flatMap((service): Cell[] => {
        const cell = { service, transport, pattern: name as Pattern };
        const endless: Cell = { ...cell, end: 'without end' };
        return name === 'endless' ? [endless] : [{ ...cell, end: 'and its end' }, endless];
      }),
  ),
);
/**
 * A service starts for each cell, so that all of them take long. Each push has those whose cost is of another kind: lines, packets,
 * escape sequences, markup, words. The long run adds the other transports and patterns.
 */
const representatives: readonly Cell[] = [
  { service: 'power-cycle-daemon', transport: 'ssh', pattern: 'line ends', end: 'without end' },
  {
    service: 'power-cycle-daemon',
    transport: 'telnet',
    pattern: 'escape sequences in one-byte packets',
    end: 'and its end',
  },
  { service: 'power-cycle-daemon', transport: 'HTTP', pattern: 'open tags', end: 'and its end' },
  { service: 'router-backup', transport: 'ssh', pattern: 'line ends', end: 'and its end' },
  { service: 'router-backup', transport: 'ssh exec', pattern: 'words', end: 'without end' },
];

/** Just less than a service reads. */
function mostOf({ service, transport }: Cell): NonNullable<Attack['most']> {
  if (transport === 'SNMP') return { bytes: 3_900_000, lines: 19_900 };
  if (transport === 'MQTT') return { bytes: 900_000, lines: 900 };
  return service === 'router-backup'
    ? { bytes: 4_100_000, lines: 49_000 }
    : { bytes: 1_000_000, lines: 19_900 };
}

interface Measured extends Cell {
  peak: number;
  worst: number;
}
const measured: Measured[] = [];

const titled = (isLong ? all : representatives).map((cell) => {
  const { service, transport, pattern, end } = cell;
  return [`${service} outlives ${pattern} over ${transport}, ${end}`, cell] as const;
});

it.each(titled)(`%s`, async (_title, cell) => {
  await outlives(cell, { devices: 1, seconds: isLong ? 4 : 2 });
});

it.each(services)('%s outlives six devices at once', async (service) => {
  const cell = { service, transport: 'ssh', pattern: 'long lines', end: 'and its end' } as const;
  await outlives(cell, { devices: 6, seconds: isLong ? 15 : 6 });
});

async function outlives(cell: Cell, how: { devices: number; seconds: number }): Promise<void> {
  const { service, transport, pattern, end } = cell;
  const most = end === 'and its end' ? mostOf(cell) : undefined;
  const outcome = await attack(service, { transport, pattern, prompt: '(switch) #', most }, how);
  if (outcome === undefined) return;
  const { peak, health } = outcome;
  measured.push({ ...cell, peak, worst: health.worst });
  console.log(JSON.stringify({ ...cell, ...how, ...outcome, load: loadavg()[0] }));
  expect(outcome).toMatchObject({ exited: undefined, health: { failed: 0 } });
  expect(peak).toBeLessThan(0.8);
}

afterAll(async () => {
  // Only when it is run by itself: the long run of a commit changes no file.
  if (!isLong || process.env.SKOLO_SEED || measured.length < all.length) return;
  const file = new URL('../../../../docs/reference/device-attacks.json', import.meta.url);
  await writeFile(file, `${JSON.stringify(worstOfEach(), null, 2)}\n`);
});

/** Attack, transport: the most memory as a part of the limit, and the longest response time in seconds. */
function worstOfEach(): Record<string, Record<string, [number, number]>> {
  const found: Record<string, Record<string, [number, number]>> = {};
  for (const { pattern, transport, peak, worst } of measured) {
    const row = found[pattern] ?? {};
    const [most, slowest] = row[transport] ?? [0, 0];
    row[transport] = [
      Math.max(most, Math.round(100 * peak) / 100),
      Math.max(slowest, Math.round(worst / 10) / 100),
    ];
    found[pattern] = row;
  }
  return found;
}
