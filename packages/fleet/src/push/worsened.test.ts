import { expect, it } from 'vitest';
import type { RackHealth } from '../survey/rack-health.ts';
import { missing, mostLosses, worsened } from './worsened.ts';

/** A rack whose first machines are silent. */
function rackOf(all: number, silent: number): Pick<RackHealth, 'machines' | 'seen'> {
  const names = Array.from({ length: all }, (_, at) => [`rpi-${at + 1}`, at >= silent] as const);
  return { machines: { all, silent, held: 0, heldBy: {} }, seen: Object.fromEntries(names) };
}

function alertsOn(...machines: string[]): RackHealth['alerts'] {
  const subjects = machines.map((machine) => ({ machine }));
  return [{ name: 'BotUnhealthy', severity: 'warning', count: machines.length, subjects }];
}

const well: RackHealth = {
  at: 0,
  state: 'ok',
  versions: {},
  agents: {},
  down: [],
  alerts: alertsOn('rpi-1', 'rpi-2'),
  health: { ok: 40 },
  conditions: {},
  serviceStates: {},
  ...rackOf(300, 5),
  controllers: { all: 3, up: 3 },
  tasksEnded: { all: 100, failed: 10 },
};

it.each([
  ['nothing', {}, []],
  ['fewer alerts', { alerts: [] }, []],
  [
    'a new alert',
    { alerts: [{ name: 'TokenLate', severity: 'critical', count: 1, subjects: [{}] }] },
    ['new alert TokenLate (critical)'],
  ],
  [
    'one alert on more machines',
    { alerts: alertsOn('rpi-1', 'rpi-2', 'rpi-9', 'rpi-10') },
    ['new alert BotUnhealthy (warning) for machine=rpi-9, machine=rpi-10'],
  ],
  [
    'one alert on other machines',
    { alerts: alertsOn('rpi-1', 'rpi-9') },
    ['new alert BotUnhealthy (warning) for machine=rpi-9'],
  ],
  [
    'an alert for a machine that is silent by chance',
    { ...rackOf(300, 6), alerts: alertsOn('rpi-1', 'rpi-2', 'rpi-6') },
    [],
  ],
  [
    'more silent machines than by chance',
    { ...rackOf(300, 8), alerts: alertsOn('rpi-1', 'rpi-2', 'rpi-6', 'rpi-8') },
    ['3 machines fell silent: rpi-6, rpi-7, rpi-8; 8 of 300 are silent'],
  ],
  ['as many silent machines as in a usual hour', { ...rackOf(300, 11), at: 3600 }, []],
  ['one alert that ended on a machine', { alerts: alertsOn('rpi-2') }, []],
  [
    'a silent service',
    { down: ['router-backup'] },
    ['router-backup no longer responds to Prometheus'],
  ],
  ['a few unhealthy machines', { health: { ok: 37, quarantined: 3 } }, []],
  [
    'many unhealthy machines',
    { health: { ok: 30, quarantined: 10 } },
    ['10 more machines quarantined'],
  ],
  ['machines that are silent by chance', rackOf(300, 7), []],
  [
    'many silent machines',
    rackOf(300, 300),
    [
      '295 machines fell silent: rpi-6, rpi-7, rpi-8, rpi-9, rpi-10 (and 290 more); 300 of 300 are silent',
    ],
  ],
  ['failed tasks as before', { tasksEnded: { all: 20, failed: 6 } }, []],
  ['two failed tasks', { tasksEnded: { all: 2, failed: 2 } }, []],
  [
    'many failed tasks',
    { tasksEnded: { all: 10, failed: 4 } },
    ['4 of 10 tasks have failed since the push'],
  ],
])('names %s', (_, change, faults) => {
  expect(worsened({ ...well, losses: 336 }, { ...well, ...change })).toEqual(faults);
});

it('does not tolerate that the only machine of a rack is quarantined', () => {
  const before = { ...well, health: { ok: 1 } };

  expect(worsened(before, { ...before, health: { quarantined: 1 } })).toEqual([
    '1 more machine quarantined',
  ]);
});

it.each<[string, Partial<RackHealth>]>([
  ['without agents, before its first Pi', { health: {}, ...rackOf(0, 0) }],
  ['whose machines have no agents, and one is silent', { health: {}, ...rackOf(3, 1) }],
  ['whose first Prometheus knows nothing', { health: {}, conditions: {}, seen: {}, alerts: [] }],
])('finds nothing worse in a rack %s', (_, same) => {
  expect(worsened({ ...well, ...same }, { ...well, ...same })).toEqual([]);
});

it('does not count agents that Prometheus has yet to read as quarantined', () => {
  expect(worsened(well, { ...well, health: {} })).toEqual([]);
});

it.each([
  [1, 300, 336, 1],
  [19, 3600, 3360, 1],
  [20, 3600, undefined, 2],
  [300, 900, 70, 2],
  [300, 3600, 336, 6],
  [300, 7200, 31_500, 30],
  [20, 3600, 31_500, 2],
])(
  'of %i machines in %i s, with %s losses in the last week, at most %i are lost by chance',
  (machines, seconds, weekly, most) => {
    expect(mostLosses(machines, seconds, weekly)).toBe(most);
  },
);

const { machines: _all, controllers: _up, tasksEnded: _tasks, ...less } = well;
const known = { ...well, versions: { 'router-backup': ['1'] } };
const of = (what: string) => `Prometheus no longer has data about ${what}`;

it.each<[string, RackHealth, string[], string[]?]>([
  ['nothing', known, []],
  ['nothing where more is known', { ...known, disk: 0.5, ...rackOf(301, 0) }, []],
  ['machines', { ...known, ...rackOf(298, 5) }, [of('rpi-299, rpi-300')]],
  [
    'machines that rack.yaml still has',
    { ...known, ...rackOf(298, 5) },
    [of('rpi-299')],
    ['rpi-299'],
  ],
  ['services', well, [of('router-backup')]],
  ['agents', { ...known, health: { ok: 30 } }, [of('10 agents')]],
  [
    'no metrics that an earlier version lacks',
    { ...less, ...rackOf(300, 5), versions: known.versions },
    [],
  ],
  [
    'everything',
    { ...less, versions: {}, health: {}, seen: {} },
    [of('router-backup'), of('rpi-1, rpi-2, rpi-3, rpi-4, rpi-5 (and 295 more)'), of('40 agents')],
  ],
])('misses %s', (_, after, texts, expected) => {
  expect(missing(known, after, expected && new Set(expected))).toEqual(texts);
});
