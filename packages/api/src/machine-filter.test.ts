import { expect, it } from 'vitest';
import { equipmentCause } from './incident/cause.ts';
import { type MachineFilter, matching } from './machine-filter.ts';
import type { Machine } from './machine-state.ts';

const since = '2026-11-20T12:00:00.000Z';
const machine: Machine = {
  name: 'skia-rpi2-001',
  kind: 'rpi',
  shelf: 'shelf1',
  pools: ['Skia', 'SkiaPerf'],
  condition: 'quarantined',
  sentence: 'the phone is missing',
  cause: equipmentCause(['switch-1']),
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
  expect(matching([machine], filter)).toHaveLength(isMeant ? 1 : 0);
});

it.each(['stale', 'gone'] as const)('finds a machine that is %s as people call it', (condition) => {
  const machines = [machine, { ...machine, name: 'rpi-2', condition }];
  for (const filter of [{ condition }, { condition: 'silent' }, { text: 'silent' }]) {
    expect(matching(machines, filter).map(({ name }) => name)).toEqual(['rpi-2']);
  }
});

it('is read once, however many words are looked for', () => {
  let readings = 0;
  function toJSON() {
    readings += 1;
    return machine;
  }

  const found = matching([Object.assign({ toJSON }, machine)], { text: 'k s i a '.repeat(1000) });

  expect(found).toHaveLength(1);
  expect(readings).toBe(1);
});

it('that never reported has no reason', () => {
  const { health: _, ...silent } = machine;
  expect(matching([silent], { code: 'too-hot' })).toEqual([]);
});

it.each([
  ['shelf1', 'rpi-1'],
  ['SHELF10', 'rpi-10'],
  ['shel', 'rpi-1 rpi-10'],
  ['switch-1', 'rpi-1'],
  ['switch-1/1', 'rpi-1'],
  ['switch-10/14', 'rpi-10'],
  ['switch', 'rpi-1 rpi-10'],
  ['rpi-1', 'rpi-1'],
  ['ok', 'rpi-10'],
  ['quarantined missing', 'rpi-1'],
  ['too-hot', 'rpi-1'],
  ['pixel 5', 'rpi-1'],
  ['1.4.0', 'rpi-1'],
  ['1.4', 'rpi-1 rpi-10'],
  ['shelf1 switch-10', ''],
  ['3a9f', 'rpi-10'],
  // Names of fields are no values.
  ['sentence', ''],
  ['wiring', ''],
  // Times are shown as ages.
  ['12', ''],
  ['2026-11', ''],
])('finds by the words “%s”: %s', (text, names) => {
  const machines: Machine[] = [
    {
      ...machine,
      name: 'rpi-1',
      wiring: { uplink: 'switch-1/1', power: ['pdu-1/1'] },
      versions: { agent: '1.4.0' },
    },
    {
      ...machine,
      name: 'rpi-10',
      shelf: 'shelf10',
      cause: equipmentCause(['switch-10']),
      condition: 'ok',
      sentence: 'waiting for a task; the token is new',
      health: { verdict: 'ok', since, reasons: [] },
      devices: [{ name: 'device', kind: 'android', state: 'present', serial: '3A9F01' }],
      wiring: { uplink: 'switch-10/14', power: ['pdu-1/10'] },
      versions: { agent: '1.4.10' },
    },
  ];
  const found = matching(machines, { text });
  expect(found.map(({ name }) => name).join(' ')).toBe(names);
});
