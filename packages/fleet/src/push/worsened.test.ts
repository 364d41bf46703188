import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Labels, RackHealth } from '../survey/rack-health.ts';
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
  return [{ name: 'SwarmingBotDown', severity: 'warning', count: machines.length, subjects }];
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
    ['new alert SwarmingBotDown (warning) for machine=rpi-9, machine=rpi-10'],
  ],
  [
    'one alert on other machines',
    { alerts: alertsOn('rpi-1', 'rpi-9') },
    ['new alert SwarmingBotDown (warning) for machine=rpi-9'],
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
/** A machine that responded before has alerts of its agent only, because others may be new. */
const newMachine = fc
  .tuple(earlier, joined)
  .filter(([was, is]) => !is.hasAlert || (was.seen ?? is.seen ?? is.report) !== undefined);
const newMachines = fc.array(newMachine, { minLength: 1, maxLength: 50 });

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
});

/** The rack with an alert, about the rack unless named. */
function withAlert(rack: RackHealth, name: string, subject: Labels = {}): RackHealth {
  return { ...rack, alerts: [{ name, severity: 'critical', count: 1, subjects: [subject] }] };
}

const quiet: RackHealth = { ...well, alerts: [], reports: {}, health: {} };

describe('an alert that names a machine', () => {
  it.each<[string, string, RackHealth, Labels, boolean]>([
    ['without an agent', 'HostDiskFull', { ...quiet, ...rackOf(3, 0) }, { machine: 'rpi-1' }, true],
    ['without an agent', 'MetadataMacMismatch', quiet, { machine: 'rpi-300' }, true],
    ['that did not respond', 'HostDiskFull', quiet, { machine: 'rpi-1' }, false],
    ['without an agent', 'SwarmingMachineUnknown', quiet, { machine: 'rpi-9' }, false],
    ['without an agent', 'MachineGone', quiet, { machine: 'rpi-9' }, false],
    ['with an agent', 'MachineGone', well, { machine: 'rpi-9' }, true],
    [
      'without an agent',
      'RackServiceDegraded',
      quiet,
      { machine: 'rpi-9', job: 'swarming-client' },
      false,
    ],
    ['of the lab, not of the rack', 'NasFull', quiet, { machine: 'nas-1' }, true],
    ['with a name of JavaScript', 'HostDiskFull', quiet, { machine: 'constructor' }, true],
    [
      'that did not respond, with a name of JavaScript',
      'HostDiskFull',
      { ...quiet, seen: { constructor: false } },
      { machine: 'constructor' },
      false,
    ],
  ])('of a machine %s: %s', (_, name, before, subject, isFault) => {
    const found = worsened({ ...before, alerts: [] }, withAlert(before, name, subject));

    expect(found).toHaveLength(Number(isFault));
  });

  it.each([
    ['SwarmingBotDown', 'rpi-9', false],
    ['SwarmingBotDown', 'rpi-10', true],
    ['SwarmingMachineUnknown', 'rpi-9', true],
  ])(
    '%s of %s follows the end of one that counted the first machines',
    (name, machine, isFault) => {
      const counted = { SwarmingBotsDown: countedOf(rpis(1, 40), rpis(1, 9)) };
      const before = { ...withAlert(well, 'SwarmingBotsDown'), counted };

      expect(worsened(before, withAlert(well, name, { machine }))).toHaveLength(Number(isFault));
    },
  );

  it('counts if the agent missed only the latest scrape before', () => {
    const before = { ...quiet, reports: { 'rpi-9': { verdict: 'ok', isLate: true } } };

    expect(worsened(before, withAlert(before, 'SwarmingBotDown', { machine: 'rpi-9' }))).toEqual([
      'new alert SwarmingBotDown (critical) for machine=rpi-9',
    ]);
  });
});

/** Facts about an alert: the first machines are among those that it counts. */
function countedOf(machines: readonly string[], affected: readonly string[]) {
  return Object.fromEntries(machines.map((machine) => [machine, affected.includes(machine)]));
}

const rpis = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `rpi-${from + at}`);

describe('an alert that counts machines', () => {
  /** So many agents report; with the push, others begin to. Affected are machines with these numbers. */
  function found(name: string, all: number, old: number, joined: number, affected: string[]) {
    const before = { ...quiet, ...rackOf(all, 0), reports: agentsOf(old) };
    const after = { ...before, reports: agentsOf(old + joined) };
    const counted = { [name]: countedOf(rpis(1, old + joined), affected) };
    return worsened(before, { ...withAlert(after, name), counted });
  }

  it.each<[string, number, number, number, string[], boolean]>([
    ['MachinesUnhealthy', 10, 9, 1, [...rpis(1, 3), 'rpi-10'], false],
    ['MachinesUnhealthy', 10, 9, 1, [...rpis(1, 4), 'rpi-10'], true],
    ['SwarmingDownloadsFail', 10, 5, 5, ['rpi-6'], false],
    ['SwarmingDownloadsFail', 10, 5, 5, ['rpi-5'], true],
    ['SwarmingDownloadsFail', 10, 5, 5, ['rpi-5', 'rpi-6'], true],
    ['SwarmingRackYamlStale', 10, 5, 5, ['rpi-10'], false],
    ['ReportedQuarantinesWait', 10, 5, 5, ['rpi-10'], false],
    // As many as before the push, of those that reported before it: a fifth, which is not more.
    ['SwarmingMachinesQuarantined', 360, 300, 60, rpis(241, 330), false],
    ['SwarmingMachinesQuarantined', 360, 300, 60, rpis(240, 330), true],
    ['SwarmingBotsDown', 300, 239, 0, rpis(100, 200), true],
    // It has ended, but fires for a while.
    ['SwarmingBotsCrash', 300, 239, 10, [], true],
  ])(
    '%s, in a rack of %i, of which %i reported and %i begin to',
    (name, all, old, joined, affected, isFault) => {
      expect(found(name, all, old, joined, affected)).toEqual(
        isFault ? [`new alert ${name} (critical)`] : [],
      );
    },
  );

  it('counts exactly if it would fire without the machines that begin to report', () => {
    const some = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(some, some, (old, joined) => {
        const all = [...old, ...joined, true].map((isAffected, at) => ({ isAffected, at }));
        const affected = all.filter((each) => each.isAffected).map(({ at }) => `rpi-${at + 1}`);
        const many = old.filter(Boolean).length;

        expect(
          found('SwarmingBotsCrash', all.length, old.length, joined.length + 1, affected),
        ).toHaveLength(Number(many > 3 && many > old.length / 5));
      }),
      runs(200),
    );
  });

  it('is not explained by machines that are as dead as before', () => {
    const before = { ...quiet, ...rackOf(300, 61), reports: agentsOf(300) };

    expect(worsened(before, withAlert(before, 'SwarmingBotsDown'))).toEqual([
      'new alert SwarmingBotsDown (critical)',
    ]);
  });

  it.each(['SwarmingAgentsAbsent', 'MachinesHaveOneCause', 'TokenLate'])(
    'does not include %s',
    (name) => {
      const before = { ...quiet, ...rackOf(4, 3) };
      const after = { ...withAlert(before, name), ...rackOf(4, 0), reports: agentsOf(4) };

      expect(worsened(before, after)).toEqual([`new alert ${name} (critical)`]);
    },
  );

  it('may be about machines that have never responded', () => {
    const before = { ...quiet, ...rackOf(300, 290) };
    const all = Object.keys(before.seen);
    const counted = { MachinesMissing: countedOf(all, all.slice(0, 290)) };

    expect(worsened(before, { ...withAlert(before, 'MachinesMissing'), counted })).toEqual([]);
  });

  it('is an alert of the rack if the machines behind it are unknown', () => {
    const after = { ...withAlert(quiet, 'SwarmingBotsDown'), reports: agentsOf(40) };

    expect(worsened(quiet, after)).toEqual(['new alert SwarmingBotsDown (critical)']);
  });

  it('is judged by whether machines responded if the baseline does not know which agents did', () => {
    const { reports: _, ...before } = { ...quiet, ...rackOf(10, 2) };
    const counted = { SwarmingDownloadsFail: countedOf(rpis(1, 10), ['rpi-3']) };
    const after = { ...withAlert(quiet, 'SwarmingDownloadsFail'), ...rackOf(10, 2), counted };

    expect(worsened(before, after)).toHaveLength(1);
  });
});

describe('quarantined machines', () => {
  const verdicts =
    (...quarantined: string[]) =>
    (machine: string) =>
      quarantined.includes(machine) ? 'quarantined' : 'ok';
  const reportsOf = (machines: string[], verdict: (machine: string) => string): Reports =>
    Object.fromEntries(machines.map((machine) => [machine, { verdict: verdict(machine) }]));

  it.each<[string, Reports, Reports, string[]]>([
    [
      'as many as before, but others',
      reportsOf(rpis(1, 10), verdicts('rpi-1', 'rpi-2')),
      reportsOf(rpis(1, 10), verdicts('rpi-3', 'rpi-4')),
      ['2 more machines quarantined: rpi-3, rpi-4'],
    ],
    [
      'the only one that Prometheus has read since',
      reportsOf(rpis(1, 10), verdicts()),
      reportsOf(['rpi-1'], verdicts('rpi-1')),
      [],
    ],
    [
      'the last one that was not',
      reportsOf(rpis(1, 3), verdicts('rpi-1', 'rpi-2')),
      reportsOf(rpis(1, 3), verdicts('rpi-1', 'rpi-2', 'rpi-3')),
      ['1 more machine quarantined: rpi-3'],
    ],
    [
      'one of two, while the other one is lost',
      reportsOf(rpis(1, 2), verdicts()),
      reportsOf(['rpi-1'], verdicts('rpi-1')),
      ['1 more machine quarantined: rpi-1'],
    ],
    [
      'all, but as before',
      reportsOf(rpis(1, 3), verdicts(...rpis(1, 3))),
      reportsOf(rpis(1, 3), verdicts(...rpis(1, 3))),
      [],
    ],
    [
      'a name of JavaScript, which has just begun to report',
      {},
      reportsOf(['constructor', 'valueOf'], () => 'quarantined'),
      [],
    ],
    [
      'in an old answer',
      reportsOf(rpis(1, 10), verdicts()),
      {
        ...reportsOf(rpis(1, 8), verdicts()),
        'rpi-9': { verdict: 'quarantined', isLate: true },
        'rpi-10': { verdict: 'quarantined', isLate: true },
      },
      [],
    ],
    [
      'where a scrape before the push failed',
      { 'rpi-1': { verdict: 'ok', isLate: true }, 'rpi-2': { verdict: 'ok', isLate: true } },
      reportsOf(rpis(1, 2), verdicts(...rpis(1, 2))),
      ['2 more machines quarantined: rpi-1, rpi-2'],
    ],
  ])('%s', (_, was, is, faults) => {
    const [before, after] = [was, is].map((reports) => ({ ...quiet, reports }));

    expect(before && after && worsened(before, after)).toEqual(faults);
  });
});

describe('failed tasks', () => {
  type Counts = [failed: number, all: number];
  const rack = (machines: Counts[]): RackHealth => ({
    ...quiet,
    reports: Object.fromEntries(
      machines.map(([failed, all], at) => [
        `rpi-${at + 1}`,
        { verdict: 'ok', tasks: { failed, all } },
      ]),
    ),
  });
  const same = (machines: number, ...counts: Counts): Counts[] =>
    Array.from({ length: machines }, () => counts);

  it.each<[string, Counts[], Counts[], string[]]>([
    ['of a machine as before', [[10, 10], ...same(4, 0, 90)], [[4, 4], ...same(4, 0, 0)], []],
    [
      'of other machines, as many as before',
      [[60, 60], ...same(4, 0, 3)],
      [[0, 0], ...same(4, 3, 3)],
      ['12 of 12 tasks have failed since the push'],
    ],
    [
      'of other machines, while one recovers',
      [[10, 10], ...same(4, 0, 3)],
      [[0, 10], ...same(4, 3, 3)],
      ['12 of 22 tasks have failed since the push'],
    ],
    [
      'of a rack whose tests fail now and then',
      same(40, 3, 10),
      [...same(12, 1, 1), ...same(28, 0, 1)],
      [],
    ],
    [
      'of every second machine',
      same(40, 1, 10),
      [...same(20, 1, 1), ...same(20, 0, 1)],
      ['20 of 40 tasks have failed since the push'],
    ],
    [
      'of machines that were idle',
      same(4, 0, 0),
      same(4, 1, 1),
      ['4 of 4 tasks have failed since the push'],
    ],
    [
      'a little more often than 20 percentage points above the usual',
      same(10, 10, 100),
      same(10, 31, 100),
      ['310 of 1000 tasks have failed since the push'],
    ],
    ['two', same(4, 0, 9), [[2, 2], ...same(3, 0, 0)], []],
  ])('%s', (_, was, is, faults) => {
    expect(worsened(rack(was), rack(is))).toEqual(faults);
  });
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
