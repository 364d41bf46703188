/** The disk space that one machine can take in a day: all that it reports has a limit, and so has its history. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine, MachineAlert } from '@skolo/api';
import { countRounds } from '@skolo/base/durable/fault-injection';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { newHistory, newRecorder } from '../testing/history.ts';

const hours = countRounds(1, 24);
const mostBytesPerDay = 20_000_000;
/** A database without entries. */
const emptyBytes = 60_000;
const roundsPerHour = 240;
const phones = 32;

it(`is at most ${mostBytesPerDay / 1e6} MB with ${phones} phones, in ${hours} h of reports as large as they may be`, async () => {
  const stateDir = await tempDir();
  const clock = fakeClock('2026-11-20T00:00:00Z');
  const everyMs = { writeEveryMs: 3_600_000, readingsEveryMs: 600_000 };
  const history = newHistory({ stateDir, clock, ...everyMs });
  await history.open();
  const recorder = newRecorder(history, clock);
  let before: Machine | undefined;

  for (let round = 0; round < hours * roundsPerHour; round += 1) {
    const machine = worst(round, new Date(clock.now()).toISOString());
    recorder.consume({ type: 'machine', machine, before, isReadingsOnly: false });
    before = machine;
    clock.pass(3_600_000 / roundsPerHour);
    recorder.tick();
    history.tick();
    if (round % 40 === 39) await history.flush();
  }
  const omitted = recorder.omitted().get('rpi-1') ?? 0;
  await history.close();

  const { size } = await stat(join(stateDir, 'history.sqlite'));
  expect(omitted).toBeGreaterThan(0);
  expect(size).toBeLessThan(emptyBytes + (mostBytesPerDay * hours) / 24);
});

/** Every text as long as the schema of the agent's status allows, of characters with three bytes. */
function worst(round: number, now: string): Machine {
  const text = (most: number) => `${round}-`.padEnd(most, '€');
  const alert = (at: number): MachineAlert => ({ name: text(400) + at, since: now });
  return {
    name: 'rpi-1',
    kind: 'rpi',
    pools: [],
    orders: [],
    wiring: { power: [] },
    condition: round % 2 ? 'ok' : 'quarantined',
    since: now,
    sentence: text(2000),
    bootId: text(100),
    task: { id: text(100), since: now },
    lastTask: { id: text(100), since: now, endedAt: now, outcome: text(50) },
    health: {
      verdict: 'quarantined',
      since: now,
      reasons: Array.from({ length: 50 }, (_, at) => ({
        code: text(90) + at,
        text: text(2000),
        since: now,
        verdict: 'quarantined' as const,
      })),
    },
    repairs: Array.from({ length: 20 }, (_, at) => ({
      at: now,
      device: text(63),
      round: at + 1,
      step: text(40),
      outcome: text(40),
      text: text(500),
    })),
    devices: Array.from({ length: phones }, (_, at) => ({
      name: `phone-${at}`.padEnd(63, 'x'),
      batteryPercent: round % 100,
      state: 'present' as const,
      temperaturesCelsius: Object.fromEntries(
        Array.from({ length: 64 }, (_, sensor) => [text(38) + sensor, (round * 7) % 200]),
      ),
    })),
    alerts: Array.from({ length: 200 }, (_, at) => alert(at)),
  };
}
