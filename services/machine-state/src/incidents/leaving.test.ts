/** How machines leave an incident: they answer, leave rack.yaml, go into maintenance, or nobody saw it. Nothing else counts as a return. */
import { outcomeOf } from '@skolo/api/incident-text';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import { expect, it, vi } from 'vitest';
import { History } from '../history/history.ts';
import { newHistory } from '../testing/history.ts';
import { startOutageLab } from '../testing/outage-lab.ts';
import { Incidents } from './incidents.ts';
import { listIncidents } from './report.ts';

const rackOf = (names: readonly string[]) =>
  parseRack(
    `rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8 }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11 }
machines:
${names.map((name, at) => `  ${name}: { kind: rpi, address: 192.168.1.${100 + at}, uplink: switch-1/${at + 1} }`).join('\n')}
  d-[1-3]: { kind: rpi, address: 192.168.1.13[1-3] }
`,
    { file: 'rack.yaml' },
  );
const a = ['a-1', 'a-2', 'a-3', 'a-4'];
const rack = rackOf(a);

/** The switch has failed, and only a-1 stays away. */
async function outage() {
  const lab = await startOutageLab(rack);
  lab.pass(5);
  const since = new Date(lab.clock.now()).toISOString();
  lab.tell('a-1', { task: { running: true, id: 't-1', since } });
  lab.fall(a);
  lab.pass(90);
  lab.answer(a.slice(1));
  lab.pass(10);
  return lab;
}

type Lab = Awaited<ReturnType<typeof outage>>;
const outcomes = async (lab: Lab) =>
  (await lab.list()).incidents.map(({ machines }) => outcomeOf({ machines, rows: [] }, String));

it.each([
  ['while the service runs', false],
  ['while the service is down', true],
])('does not count a machine as returned that leaves rack.yaml %s', async (_, isDown) => {
  const lab = await outage();
  const [before] = (await lab.list()).incidents;
  lab.tell('a-1', { task: { running: false } });
  await lab.flush();
  if (isDown) await lab.restart(5000, rackOf(['a-renamed', ...a.slice(1)]));
  else lab.edit(rackOf(['a-renamed', ...a.slice(1)]));
  lab.pass(10);

  const [left] = (await lab.list()).incidents;
  expect(await outcomes(lab)).toEqual(['3 of 4 came back; 1 left rack.yaml: a-1']);
  expect(left).toMatchObject({ id: before?.id, to: expect.any(String) });

  // A month later, the switch fails again.
  lab.pass(400);
  await lab.restart(30 * 86_400_000);
  lab.pass(10);
  lab.fall(a.slice(1));
  lab.pass(90);
  expect(await outcomes(lab)).toEqual([
    '0 of 3 came back, 3 did not: a-2, a-3, a-4',
    '3 of 4 came back; 1 left rack.yaml: a-1',
  ]);
});

it.each([
  ['a minute', 60, false],
  ['a day', 86_400, false],
  ['a minute, with restarts', 60, true],
  ['a day, with restarts', 86_400, true],
])('continues the record of a machine that is put back after %s', async (_, seconds, restarts) => {
  const lab = await outage();
  const [before] = (await lab.list()).incidents;
  const change = async (next: typeof rack) => {
    lab.edit(next);
    if (restarts) await lab.restart(1000);
    lab.pass(30);
  };
  await change(rackOf(['a-5', ...a.slice(1)]));
  lab.pass(400);
  lab.clock.pass(seconds * 1000);
  await change(rack);
  lab.pass(70);

  const [after, ...others] = (await lab.list()).incidents.filter(({ machines }) =>
    machines.some(({ name }) => name === 'a-1'),
  );
  expect(others).toEqual([]);
  expect(after?.to).toBeUndefined();
  expect(after).toMatchObject({ id: before?.id, since: before?.since });
  expect(after?.causes.slice(0, 1)).toEqual(before?.causes.slice(0, 1));
  expect(after?.machines[0]?.left).toBeUndefined();
  lab.answer(['a-1']);
  lab.pass(5);
  expect((await outcomes(lab)).filter((text) => text.includes('of 4'))).toEqual([
    '4 of 4 came back',
  ]);
});

it('lets a machine leave as planned when maintenance begins, and returns it to the list if it is silent afterwards', async () => {
  const lab = await outage();
  lab.order(['a-1']);
  lab.pass(60);
  const planned = await outcomes(lab);
  lab.order([]);
  lab.pass(60);
  const silent = await outcomes(lab);
  lab.order(['a-1']);
  lab.pass(5);
  lab.answer(['a-1']);
  lab.pass(60);

  expect(planned).toEqual(['3 of 4 came back; 1 in maintenance: a-1']);
  expect(silent).toEqual(['3 of 4 came back, 1 did not: a-1']);
  expect(await outcomes(lab)).toEqual(['4 of 4 came back']);
});

it.each([false, true])(
  'has a list of a planned outage, with those that stay silent (after a restart: %s)',
  async (restarts) => {
    const lab = await startOutageLab(rack);
    lab.pass(5);
    lab.order(a, 'new switch');
    lab.fall(a);
    lab.pass(120);
    if (restarts) {
      await lab.restart(5000);
      lab.pass(120);
    }
    const [during] = (await lab.list()).incidents;
    lab.answer(a.slice(0, 2));
    lab.pass(5);
    lab.order([]);
    lab.pass(120);

    expect(during).toMatchObject({
      title: 'maintenance: new switch, 4 machines',
      cause: { kind: 'planned' },
    });
    expect(lab.machine('a-3')).toMatchObject({ condition: 'stale' });
    const [after, ...others] = (await lab.list()).incidents;
    expect(others).toEqual([]);
    expect(after).toMatchObject({ id: during?.id, title: during?.title });
    expect(await outcomes(lab)).toEqual(['2 of 4 came back, 2 did not: a-3, a-4']);
  },
);

it('does not know how the earlier one of two records without an end ended', async () => {
  const clock = fakeClock('2026-11-20T02:00:00Z');
  const history = newHistory({ stateDir: await tempDir(), clock });
  const agents = { view: () => ({ seenAt: clock.now() }) };
  const incidents = new Incidents({ rack: () => rack, clock, history, agents });
  const hours = (n: number) => clock.now() - n * 3_600_000;
  const record = (id: string, at: number) => {
    return { id, machine: 'a-1', incident: id, at, causes: [], traits: [], lost: [] };
  };
  incidents.recall([record('i-1', hours(9)), record('i-2', hours(1))]);

  const { incidents: found } = await listIncidents({ clock, history, incidents }, { limit: 10 });

  expect(found.map(({ machines }) => machines[0])).toEqual([
    { name: 'a-1', at: '2026-11-20T01:00:00.000Z', lost: [] },
    expect.objectContaining({ left: { at: '2026-11-20T01:00:00.000Z', as: 'not-known' } }),
  ]);
});

it.each([-7200, 7200])(
  'corrects only what it measured itself when a clock that was off by %d s at boot is set',
  async (seconds) => {
    const lab = await outage();
    const [before] = (await lab.list()).incidents;
    await lab.flush();
    const right = lab.clock.now();
    lab.clock.setWall(right + seconds * 1000);
    await lab.restart(10_000);
    lab.pass(70);
    lab.answer(['a-1']);
    lab.pass(20);
    lab.clock.setWall(right + 100_000);
    lab.pass(2);

    const [after] = (await lab.list()).incidents;
    const times = (machines = before?.machines) => machines?.map(({ at }) => at);
    expect(times(after?.machines)).toEqual(times());
    const answered = after?.machines.map(({ answeredAt = '' }) => Date.parse(answeredAt) - right);
    expect(answered?.slice(1)).toEqual([-10_000, -10_000, -10_000]);
    expect(Math.abs((answered?.[0] ?? 0) - 80_000)).toBeLessThan(3000);
  },
);

const day = 86_400_000;
it.each<[string, (lab: Lab) => Promise<void>]>([
  [
    'renamed for a month, and responds when it is put back after a restart',
    async (lab) => {
      lab.edit(rackOf(['a-renamed', ...a.slice(1)]));
      lab.pass(400);
      await lab.restart(30 * day);
      lab.answer(['a-1']);
      lab.edit(rack);
    },
  ],
  [
    'removed for a day',
    async (lab) => {
      lab.edit(rackOf(a.slice(1)));
      lab.pass(400);
      lab.clock.pass(day);
      lab.answer(['a-1']);
      lab.edit(rack);
    },
  ],
  [
    'in maintenance for two weeks',
    async (lab) => {
      lab.order(['a-1']);
      lab.pass(400);
      lab.clock.pass(14 * day);
      lab.answer(['a-1']);
      lab.order([]);
    },
  ],
  [
    'in maintenance for two weeks, and then removed',
    async (lab) => {
      lab.order(['a-1']);
      lab.pass(400);
      lab.clock.pass(14 * day);
      lab.edit(rackOf(a.slice(1)));
      lab.order([]);
      lab.answer(['a-1']);
      lab.edit(rack);
    },
  ],
  [
    'silent for a month',
    async (lab) => {
      lab.pass(400);
      lab.clock.pass(30 * day);
      lab.answer(['a-1']);
    },
  ],
])(
  'has a new incident when the switch fails just after the return of one that was %s',
  async (_, leave) => {
    const lab = await outage();
    const [before] = (await lab.list()).incidents;
    lab.pass(60);
    await leave(lab);
    lab.pass(120);
    const back = (await lab.list()).incidents.find(({ id }) => id === before?.id);
    lab.fall(a);
    lab.pass(90);

    const [after, old] = (await lab.list()).incidents;
    expect(old).toEqual(back);
    expect(outcomeOf({ machines: old?.machines ?? [], rows: [] }, String)).toBe('4 of 4 came back');
    expect(after).toMatchObject({ title: 'switch-1, 4 machines', began: a });
    await lab.restart(1000);
    lab.pass(130);
    expect((await lab.list()).incidents).toMatchObject([{ id: after?.id }, { id: old?.id }]);
  },
);

it('returns no machine to an incident that it left, whatever became of it', async () => {
  const lab = await outage();
  lab.edit(rackOf(a.slice(1)));
  lab.pass(400);
  const [left] = (await lab.list()).incidents;
  lab.answer(['a-1']);
  lab.edit(rack);
  lab.pass(5);

  const [after, ...others] = (await lab.list()).incidents;
  expect(others).toEqual([]);
  expect(after?.to).toBe(left?.to);
  expect(after?.machines[0]?.answeredAt).toBe('2026-11-20T02:08:25.000Z');
});

it.each([-7200, 7200])(
  'keeps the last answers that another process heard when a clock that was off by %d s at its start is set',
  async (seconds) => {
    const lab = await startOutageLab(rack);
    lab.pass(3600);
    lab.fall(a);
    const right = lab.clock.now();
    lab.clock.setWall(right + seconds * 1000);
    await lab.restart(10_000);
    lab.pass(90);
    const [before] = (await lab.list()).incidents;
    lab.clock.setWall(right + 100_000);
    lab.pass(2);
    lab.answer(['a-1']);
    lab.pass(2);

    const [found, ...others] = (await lab.list()).incidents;
    expect(others).toEqual([]);
    expect(found).toMatchObject({ began: a, since: before?.since });
    expect(found?.machines.map(({ at }) => at)).toEqual(before?.machines.map(({ at }) => at));
    const back = Date.parse(found?.machines[0]?.answeredAt ?? '');
    expect(Math.abs(back - right - 102_000)).toBeLessThan(3000);
  },
);

it.each([false, true])(
  'sends nobody to a machine after a start at which the history could not be read (it responds: %s)',
  async (responds) => {
    const lab = await outage();
    lab.pass(30);
    await lab.flush();
    vi.spyOn(History.prototype, 'open').mockResolvedValueOnce({
      standings: new Map(),
      silences: [],
    });
    await lab.restart(1000);
    if (responds) lab.answer(['a-1']);
    lab.pass(130);

    expect(await outcomes(lab)).toEqual(['3 of 4 came back; 1 not known: a-1']);
    expect((await lab.report('last')).away).toEqual([]);
  },
);

it.each<[string, (lab: Lab) => void]>([
  ['before the order', (lab) => lab.fall(a)],
  ['one before the order, the others after it', (lab) => lab.fall(a.slice(0, 1))],
  ['after the order', () => undefined],
])('tells machines in maintenance from those that did not return: silent %s', async (_, before) => {
  const lab = await startOutageLab(rack);
  lab.pass(5);
  before(lab);
  lab.pass(90);
  lab.order(a, 'storage');
  lab.pass(5);
  lab.fall(a.filter((name) => !lab.world.silent.has(name)));
  lab.pass(90);
  for (const days of [0, 14]) {
    lab.clock.pass(days * day);
    lab.pass(5);
    const { incidents } = await lab.list();
    const machines = incidents.flatMap((each) => each.machines);
    expect(outcomeOf({ machines, rows: [] }, String)).toBe(
      `0 of 4 came back; 4 in maintenance: ${machines.map(({ name }) => name).join(', ')}`,
    );
    for (const { id } of incidents) expect((await lab.report(id)).away).toEqual([]);
  }
  lab.order([]);
  lab.pass(90);
  const reports = await Promise.all((await lab.list()).incidents.map(({ id }) => lab.report(id)));
  expect(reports.flatMap(({ away }) => away.map(({ name }) => name)).toSorted()).toEqual(a);
});

it.each([
  ['has answered before', true],
  ['is silent still', false],
])('calls a fault after maintenance by its own cause if the switch %s', async (_, answers) => {
  const lab = await startOutageLab(rack);
  lab.pass(5);
  lab.order(a, 'new switch');
  lab.fall(a);
  lab.pass(120);
  if (answers) lab.answer(a);
  lab.pass(5);
  lab.order([]);
  lab.pass(120);
  if (answers) lab.fall(a);
  lab.pass(90);

  const titles = (await lab.list()).incidents.map(({ title }) => `${title}`);
  expect(titles).toEqual([
    'switch-1, 4 machines',
    ...(answers ? ['maintenance: new switch, 4 machines'] : []),
  ]);
});

it('does not learn from later starts or answers how a silence ended that nobody saw end', async () => {
  const lab = await startOutageLab(rack);
  const at = lab.clock.now() - 9 * 3_600_000;
  const record = (id: string, start: number) => {
    return { id, machine: 'd-1', incident: id, at: start, causes: [], traits: [], lost: [] };
  };
  for (const silence of [record('i-1', at), record('i-2', at + 3_600_000)]) {
    lab.history().setSilence(silence);
  }
  for (const falls of [false, false, true]) {
    await lab.restart(1000);
    lab.pass(30);
    if (falls) lab.fall(['d-1']);
    lab.pass(400);
  }

  const of = (await lab.list()).incidents.map(({ id, machines }) => [id, machines[0]?.left?.as]);
  expect(of.slice(1)).toEqual([
    ['i-2', undefined],
    ['i-1', 'not-known'],
  ]);
});

it.each([
  ['two hours behind', 90, 50, -120],
  ['four hours behind, which is in the middle of it', 300, 60, -240],
  ['a day behind', 90, 10, -1440],
  ['two hours ahead', 90, 10, 120],
])(
  'puts no outage into one that is over with a clock that is %s',
  async (_, lasts, apart, wrong) => {
    const lab = await startOutageLab(rack);
    lab.pass(5);
    lab.fall(a);
    lab.pass(90);
    lab.clock.pass(lasts * 60_000);
    lab.pass(5);
    lab.answer(a);
    lab.pass(30);
    const [before] = (await lab.list()).incidents;
    await lab.flush();
    const right = lab.clock.now() + apart * 60_000;
    lab.clock.setWall(right + wrong * 60_000);
    await lab.restart(1000);
    lab.pass(60);
    lab.fall(a);
    lab.pass(90);
    lab.clock.setWall(right + 152_000);
    lab.pass(5);

    const [after, ...others] = (await lab.list()).incidents;
    expect(after).toMatchObject({ title: 'switch-1, 4 machines', began: a });
    expect(others).toEqual([before]);
  },
);
