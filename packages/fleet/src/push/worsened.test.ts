import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RackHealth } from '../survey/rack-health.ts';
import { missing, mostLosses, worsened } from './worsened.ts';

/** A rack whose first machines are silent. */
function rackOf(all: number, silent: number): Pick<RackHealth, 'machines' | 'seen'> {
  const names = Array.from({ length: all }, (_, at) => [`rpi-${at + 1}`, at >= silent] as const);
  return { machines: { all, silent, held: 0, heldBy: {} }, seen: Object.fromEntries(names) };
}

type Reports = NonNullable<RackHealth['reports']>;

/** The first machines have agents, of which the first are quarantined. Each has ended so many tasks. */
function agentsOf(all: number, quarantined = 0, tasks = { all: 0, failed: 0 }): Reports {
  return Object.fromEntries(
    Array.from({ length: all }, (_, at) => {
      const verdict = at < quarantined ? 'quarantined' : 'ok';
      return [`rpi-${at + 1}`, { verdict, tasks }] as const;
    }),
  );
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
  reports: agentsOf(40, 0, { all: 10, failed: 1 }),
  controllers: { all: 3, up: 3 },
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
  ['a few unhealthy machines', { reports: agentsOf(40, 4) }, []],
  [
    'many unhealthy machines',
    { reports: agentsOf(40, 10) },
    ['10 more machines quarantined: rpi-1, rpi-2, rpi-3, rpi-4, rpi-5 (and 5 more)'],
  ],
  ['machines that are silent by chance', rackOf(300, 7), []],
  [
    'many silent machines',
    rackOf(300, 300),
    [
      '295 machines fell silent: rpi-6, rpi-7, rpi-8, rpi-9, rpi-10 (and 290 more); 300 of 300 are silent',
    ],
  ],
  ['failed tasks as before', { reports: agentsOf(20, 0, { all: 10, failed: 3 }) }, []],
  ['two failed tasks', { reports: agentsOf(1, 0, { all: 2, failed: 2 }) }, []],
  [
    'many failed tasks',
    { reports: agentsOf(5, 0, { all: 2, failed: 1 }) },
    ['5 of 10 tasks have failed since the push'],
  ],
])('names %s', (_, change, faults) => {
  expect(worsened({ ...well, losses: 336 }, { ...well, ...change })).toEqual(faults);
});

it('does not tolerate that the only machine of a rack is quarantined', () => {
  const before = { ...well, reports: agentsOf(1) };

  expect(worsened(before, { ...before, reports: agentsOf(1, 1) })).toEqual([
    '1 more machine quarantined: rpi-1',
  ]);
});

it.each<[string, Partial<RackHealth>]>([
  ['without agents, before its first Pi', { reports: {}, ...rackOf(0, 0) }],
  ['whose machines have no agents, and one is silent', { reports: {}, ...rackOf(3, 1) }],
  ['whose first Prometheus knows nothing', { reports: {}, conditions: {}, seen: {}, alerts: [] }],
])('finds nothing worse in a rack %s', (_, same) => {
  expect(worsened({ ...well, ...same }, { ...well, ...same })).toEqual([]);
});

it('does not count agents that Prometheus has yet to read as quarantined', () => {
  expect(worsened(well, { ...well, reports: {} })).toEqual([]);
});

it('counts as lost how many of those that responded before, however many never did', () => {
  const before = { ...well, reports: {}, alerts: [], losses: 31_500, at: 0, ...rackOf(300, 290) };

  expect(worsened(before, { ...before, at: 3600, ...rackOf(300, 299) })).toEqual([
    '9 machines fell silent: rpi-291, rpi-292, rpi-293, rpi-294, rpi-295 (and 4 more); 299 of 300 are silent',
  ]);
});

it.each([
  ['of a rack whose agents report', agentsOf(1)],
  ['of a jumphost, which has no agent', {}],
])('finds a new alert %s', (_, reports) => {
  const before = { ...well, alerts: [], reports, ...rackOf(1, 0) };

  expect(worsened(before, { ...before, alerts: alertsOn('rpi-1') })).toHaveLength(1);
});

/** A machine as Prometheus shows it before a push and after it. */
interface Shown {
  /** Absent: Prometheus does not have data. */
  seen?: boolean | undefined;
  report?: Reports[string] | undefined;
  hasAlert: boolean;
}

/** The rack, and machines of which Prometheus shows this. */
function withMachines(rack: RackHealth, shown: readonly Shown[]): RackHealth {
  const named = shown.map((each, at) => ({ machine: `new-${at + 1}`, ...each }));
  const seen = { ...rack.seen, ...ofEach(named, ({ seen }) => seen) };
  const subjects = named.filter(({ hasAlert }) => hasAlert).map(({ machine }) => ({ machine }));
  return {
    ...rack,
    seen,
    machines: {
      all: Object.keys(seen).length,
      silent: Object.values(seen).filter((isSeen) => !isSeen).length,
      held: 0,
      heldBy: {},
    },
    reports: { ...rack.reports, ...ofEach(named, ({ report }) => report) },
    alerts: rack.alerts.map((alert) => ({ ...alert, subjects: [...alert.subjects, ...subjects] })),
  };
}

function ofEach<T>(
  named: readonly (Shown & { machine: string })[],
  read: (shown: Shown) => T | undefined,
): Record<string, T> {
  return Object.fromEntries(
    named.flatMap((each) => {
      const value = read(each);
      return value === undefined ? [] : [[each.machine, value] as const];
    }),
  );
}

const tasks = fc.integer({ min: 0, max: 9 }).map((failed) => ({ all: 9, failed }));
const verdict = fc.constantFrom('ok', 'recovering', 'maintenance', 'quarantined');
const joined = fc.record({
  seen: fc.constantFrom(undefined, false, true),
  report: fc.option(fc.record({ verdict, tasks }, { requiredKeys: [] }), { nil: undefined }),
  hasAlert: fc.boolean(),
});
/** Nobody has heard of it, or it is silent, or it responds, but its agent has not reported. */
const earlier = fc.constantFrom<Shown[]>(
  { hasAlert: false },
  { seen: false, hasAlert: false },
  { seen: false, report: { tasks: { all: 0, failed: 0 } }, hasAlert: false },
  { seen: true, report: { tasks: { all: 0, failed: 0 } }, hasAlert: false },
);
const newMachines = fc.array(fc.tuple(earlier, joined), { minLength: 1, maxLength: 50 });

describe('machines that did not report before a push', () => {
  it.each<[string, Partial<RackHealth>]>([
    ['a rack in which nothing else changes', {}],
    ['a rack with more quarantined machines', { reports: agentsOf(40, 10) }],
    ['a rack without a tenth of its agents', { reports: agentsOf(30) }],
    ['a rack with failed tasks', { reports: agentsOf(40, 0, { all: 9, failed: 5 }) }],
    ['a rack with silent machines', rackOf(300, 40)],
    ['a rack with an alert on another machine', { alerts: alertsOn('rpi-1', 'rpi-9') }],
    ['a rack that loses its machines', { ...rackOf(200, 5), reports: agentsOf(10) }],
  ])('neither make it worse nor hide what is worse in %s', (_, change) => {
    const after = { ...well, ...change };
    const faults = [...worsened(well, after), ...missing(well, after)];
    fc.assert(
      fc.property(newMachines, (machines) => {
        const was = withMachines(
          well,
          machines.map(([shown]) => shown),
        );
        // What responded still does: that is judged on its own.
        const is = withMachines(
          after,
          machines.map(([{ seen }, shown]) => ({ ...shown, seen: seen || (shown.seen ?? seen) })),
        );
        const found = [...worsened(was, is), ...missing(was, is)];
        const comparable = (text: string) => text.replace(/; \d+ of \d+ are silent$/, '');
        expect(found.map(comparable)).toEqual(faults.map(comparable));
      }),
      runs(200),
    );
  });

  it.each([
    ['MachinesMissing', 300, 290, []],
    ['SwarmingMachinesQuarantined', 20, 5, []],
    ['SwarmingMachinesQuarantined', 20, 4, ['new alert SwarmingMachinesQuarantined (critical)']],
    ['SwarmingBotsDown', 4, 3, ['new alert SwarmingBotsDown (critical)']],
    ['TokenLate', 300, 290, ['new alert TokenLate (critical)']],
  ])(
    'may be all that %s is about, if %i machines include %i of them',
    (name, all, silent, faults) => {
      const before = { ...well, alerts: [], reports: {}, ...rackOf(all, silent) };
      const alerts = [{ name, severity: 'critical', count: 1, subjects: [{}] }];

      expect(worsened(before, { ...before, alerts })).toEqual(faults);
    },
  );
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

const { machines: _all, controllers: _up, ...less } = well;
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
  ['agents', { ...known, reports: agentsOf(30) }, [of('10 agents')]],
  [
    'agents on machines whose targets are still known',
    { ...known, reports: { ...agentsOf(40), 'rpi-1': {}, 'rpi-2': {}, 'rpi-3': {} } },
    [of('3 agents')],
  ],
  [
    'no metrics that an earlier version lacks',
    { ...less, ...rackOf(300, 5), versions: known.versions },
    [],
  ],
  [
    'everything',
    { ...less, versions: {}, reports: {}, seen: {} },
    [of('router-backup'), of('rpi-1, rpi-2, rpi-3, rpi-4, rpi-5 (and 295 more)'), of('40 agents')],
  ],
])('misses %s', (_, after, texts, expected) => {
  expect(missing(known, after, expected && new Set(expected))).toEqual(texts);
});
