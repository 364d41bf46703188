import { expect, it } from 'vitest';
import { type MachineFilter, matches } from './machine-filter.ts';
import type { Machine } from './machine-state.ts';

const since = '2026-11-20T12:00:00.000Z';
const machine: Machine = {
  name: 'skia-rpi2-001',
  kind: 'rpi',
  shelf: 'shelf1',
  pools: ['Skia', 'SkiaPerf'],
  condition: 'quarantined',
  sentence: 'the phone is missing',
  cause: 'switch-1',
  health: {
    verdict: 'quarantined',
    since,
    reasons: [
      { code: 'device-missing', verdict: 'quarantined', text: 'the phone is missing', since },
      { code: 'too-hot', verdict: 'recovering', text: '80 °C', since },
    ],
  },
  devices: [
    {
      name: 'device',
      kind: 'android',
      state: 'missing',
      dimensions: { device_type: ['redfin'], device_model: ['Pixel 5'] },
    },
  ],
  repairs: [],
  orders: [],
  wiring: { power: [] },
  alerts: [],
};

it.each<[MachineFilter, boolean]>([
  [{}, true],
  [{ shelf: 'shelf1' }, true],
  [{ shelf: 'shelf' }, false],
  [{ condition: 'quarantined' }, true],
  [{ condition: 'ok' }, false],
  [{ code: 'too-hot' }, true],
  [{ code: 'too-cold' }, false],
  [{ cause: 'switch-1' }, true],
  [{ cause: 'switch-2' }, false],
  [{ model: 'RPI' }, true],
  [{ model: 'android' }, true],
  [{ model: 'Redfin' }, true],
  [{ model: 'pixel 5' }, true],
  [{ model: 'pixel' }, false],
  [{ pool: 'SkiaPerf' }, true],
  [{ pool: 'Perf' }, false],
  [{ text: ' MISSING  shelf1 ' }, true],
  [{ text: 'missing shelf2' }, false],
  [{ text: ' ' }, true],
  [{ shelf: 'shelf1', condition: 'ok' }, false],
])('a machine by %j: %s', (filter, isMeant) => {
  expect(matches(machine, filter)).toBe(isMeant);
});

it('that never reported has no reason', () => {
  const { health: _, ...silent } = machine;
  expect(matches(silent, { code: 'too-hot' })).toBe(false);
});
