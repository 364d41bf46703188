import type { Machine } from '@skolo/api';
import { sharedCause } from '@skolo/api/cause';
import { runs, tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { newHistory } from '../testing/history.ts';
import { startOutageLab } from '../testing/outage-lab.ts';
import { Incidents } from './incidents.ts';
import { listIncidents } from './report.ts';

/** Two switches at one PDU, a third one at another, which hangs on the same mains. */
const rack = parseRack(
  `rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8 }
services: { alert-to-pubsub: { consoleUrl: "https://rack4" } }
equipment:
  core: { model: edgeswitch, address: 192.168.1.10, power: pdu-2/9 }
  switch-1: { model: edgeswitch, address: 192.168.1.11, power: pdu-1/1, uplink: core/1 }
  switch-2: { model: edgeswitch, address: 192.168.1.12, power: pdu-1/2, uplink: core/2 }
  switch-3: { model: edgeswitch, address: 192.168.1.13, power: pdu-2/1, uplink: core/3 }
  pdu-1: { model: apc-rpdu2, address: 192.168.1.30, uplink: core/4 }
  pdu-2: { model: apc-rpdu2, address: 192.168.1.31, uplink: core/5 }
machines:
  a-[1-4]: { kind: rpi, address: 192.168.1.10[1-4], uplink: "switch-1/[1-4]", power: "switch-1/[1-4]" }
  b-[1-4]: { kind: rpi, address: 192.168.1.11[1-4], uplink: "switch-2/[1-4]", power: "switch-2/[1-4]" }
  c-[1-4]: { kind: rpi, address: 192.168.1.12[1-4], uplink: "switch-3/[1-4]", power: "switch-3/[1-4]" }
  d-[1-3]: { kind: rpi, address: 192.168.1.13[1-3] }
`,
  { file: 'rack.yaml' },
);
const group = (letter: string) => [1, 2, 3, 4].map((n) => `${letter}-${n}`);
const [a, b, c] = [group('a'), group('b'), group('c')];

const started = async () => {
  const lab = await startOutageLab(rack);
  lab.pass(5);
  return lab;
};
const summary = async ({ list }: Awaited<ReturnType<typeof started>>) =>
  (await list()).incidents.map(({ cause, machines, to }) => [
    cause?.code,
    machines.map(({ name }) => name).join(' '),
    to === undefined ? 'silent' : 'back',
  ]);

it('says what it began with, who joined, who answered when, and the cause as it was known at each time', async () => {
  const lab = await started();
  lab.fall(a.slice(0, 2));
  lab.pass(65);
  const [alone] = (await lab.list()).incidents.slice(-1);
  lab.pass(10);
  lab.fall(a.slice(2));
  lab.pass(60);
  lab.answer(a.slice(0, 3));
  lab.pass(90);

  const { incidents } = await lab.list();
  const [found] = incidents;

  expect(incidents).toHaveLength(1);
  expect(found).toMatchObject({
    id: alone?.id,
    cause: { code: 'switch-1' },
    began: a.slice(0, 2),
    since: '2026-11-20T02:00:05.000Z',
  });
  expect(found?.to).toBeUndefined();
  expect(found?.machines.map(({ name, answeredAt }) => [name, answeredAt])).toEqual([
    ['a-1', '2026-11-20T02:02:20.000Z'],
    ['a-2', '2026-11-20T02:02:20.000Z'],
    ['a-3', '2026-11-20T02:02:20.000Z'],
    ['a-4', undefined],
  ]);
  expect(found?.causes.map(({ cause, machines }) => [cause?.code, machines])).toEqual([
    ['switch-1', 4],
    [undefined, 1],
  ]);
});

it.each<[string, [string[], string[]], number, string[][]]>([
  [
    'two switches at one PDU are one incident',
    [a, b],
    120,
    [['switch-1', [...a, ...b].join(' '), 'silent']],
  ],
  [
    'two switches that share nothing are two',
    [a, c],
    120,
    [
      ['switch-3', c.join(' '), 'silent'],
      ['switch-1', a.join(' '), 'silent'],
    ],
  ],
  [
    'at the same moment, they share the mains',
    [a, c],
    0,
    [['switch-1', [...a, ...c].join(' '), 'silent']],
  ],
  [
    'much later, another switch at the same PDU has a reason of its own',
    [a, b],
    3600,
    [
      ['switch-2', b.join(' '), 'silent'],
      ['switch-1', a.join(' '), 'silent'],
    ],
  ],
])('%s', async (_, [first, second], apart, expected) => {
  const lab = await started();
  // They respond, so they are no cause.
  for (const name of ['pdu-1', 'core']) lab.see(name, 'up');
  lab.fall(first);
  lab.pass(apart);
  lab.fall(second);
  lab.pass(90);

  expect(await summary(lab)).toEqual(expected);
});

it('a second fault of a switch is another incident, although one machine has not returned from the first', async () => {
  const lab = await started();
  lab.fall(a);
  lab.pass(120);
  lab.answer(a.slice(1));
  lab.pass(3600);
  lab.fall(a.slice(1));
  lab.pass(120);

  expect(await summary(lab)).toEqual([
    ['switch-1', 'a-2 a-3 a-4', 'silent'],
    ['switch-1', a.join(' '), 'silent'],
  ]);
});

it('keeps the cause that explained the most machines at one time as its title, and counts only titles as seen before', async () => {
  const lab = await started();
  lab.see('core', 'up');
  lab.fall([...a, ...b]);
  lab.pass(90);
  lab.answer([...a, 'b-1']);
  lab.see('pdu-1', 'up');
  lab.pass(10);
  lab.answer(['b-1']);
  lab.fall(['b-1']);
  lab.pass(120);
  const [outage] = (await lab.list()).incidents;
  lab.answer(b);
  lab.pass(3600);
  lab.fall(b);
  lab.pass(90);

  expect(lab.machine('b-2')?.cause?.code).toBe('switch-2');
  expect(outage?.causes.map(({ cause }) => cause?.code)).toContain('switch-2');
  expect(`${outage?.title}`).toBe('pdu-1, 8 machines');
  expect((await lab.report('last')).seenBefore).toBeUndefined();
  expect(`${(await lab.report('last')).title}`).toBe('switch-2, 4 machines');
});

it('says of how many of its machines the title is true', async () => {
  const lab = await started();
  for (const name of ['pdu-1', 'pdu-2', 'core']) lab.see(name, 'up');
  lab.fall([...a, ...b.slice(0, 3), 'd-1']);
  lab.pass(30);
  lab.fall(c);
  lab.pass(90);

  const titles = (await lab.list()).incidents.map(({ title }) => `${title}`);
  expect(titles).toContain('switch-1, 4 of 11 machines');
});

it.each([
  ['a month', 30 * 86_400, ['a-2 a-3 a-4', 'a-1 a-2 a-3 a-4']],
  ['four minutes', 240, ['a-1 a-2 a-3 a-4']],
])(
  'puts an equal cause %s after the last machine of an incident into the right one',
  async (_, apart, expected) => {
    const lab = await started();
    lab.fall(a);
    lab.pass(90);
    lab.answer(a.slice(1));
    // The record of the one that is silent says nothing about a change of its cause.
    await lab.flush();
    await lab.restart(apart * 1000 - 1000);
    lab.fall(a.slice(1));
    lab.pass(90);

    expect((await summary(lab)).map(([, machines]) => machines)).toEqual(expected);
  },
);

it('leads to an incident by its ID, whatever was asked for', async () => {
  const lab = await started();
  lab.fall(a);
  lab.pass(90);
  const [shown] = lab.rackView().incidents;
  const { id = '' } = shown ?? {};
  for (const name of ['last', 'switch-1', 'a-3', id]) {
    expect(await lab.report(name)).toMatchObject({ id, url: `https://rack4/#/incident/${id}` });
  }
  expect(shown).toEqual({ id, since: '2026-11-20T02:00:05.000Z', machines: a });
  expect((await lab.report('all')).url).toBe(
    'https://rack4/#/incident/all?since=2026-11-20T02%3A00%3A05.000Z&until=2026-11-20T02%3A01%3A35.000Z',
  );
  lab.answer(a);
  lab.pass(1);
  expect(lab.rackView().incidents).toEqual([]);
});

it('a machine that falls silent again within five minutes stays in its incident', async () => {
  const lab = await started();
  for (const pause of [200, 400]) {
    lab.fall(['d-1']);
    lab.pass(90);
    lab.answer(['d-1']);
    lab.pass(pause);
  }
  lab.fall(['d-1']);
  lab.pass(90);

  const found = (await lab.list()).incidents;
  expect(found.map(({ machines }) => machines.map(({ times }) => times))).toEqual([
    [undefined],
    [2],
  ]);
});

it('is the same after a restart in the middle, and for last month', async () => {
  const lab = await started();
  lab.fall([...a, ...b]);
  lab.pass(70);
  lab.answer(a);
  lab.pass(5);
  const before = await lab.list();
  await lab.restart();
  lab.pass(70);
  expect(await lab.list()).toEqual(before);
  lab.answer(b);
  lab.pass(5);
  const over = await lab.list();
  expect(over.incidents).toMatchObject([{ id: before.incidents[0]?.id, to: expect.any(String) }]);
  lab.pass(400);
  await lab.restart(30 * 86_400_000);

  expect(await lab.list()).toEqual(over);
});

it('counts tasks that were lost', async () => {
  const lab = await started();
  const since = new Date(lab.clock.now()).toISOString();
  lab.tell('a-1', { task: { running: true, id: 't-1', since } });
  lab.fall(a);
  lab.pass(70);
  lab.tell('a-1', { task: { running: false }, bootId: 'second' });
  lab.answer(a);
  lab.pass(1);

  const [found] = (await lab.list()).incidents;
  expect(found?.machines.map(({ name, lost }) => [name, ...lost])).toEqual([
    ['a-1', 't-1'],
    ['a-2'],
    ['a-3'],
    ['a-4'],
  ]);
});

it('keeps its ID if the wall clock is set in the middle, and its times are as long ago as they are', async () => {
  const lab = await started();
  lab.fall(a);
  lab.pass(70);
  const [before] = (await lab.list()).incidents;
  lab.clock.setWall(lab.clock.now() - 3_600_000);
  lab.pass(60);
  lab.answer(a);
  lab.pass(1);

  const [after, ...others] = (await lab.list()).incidents;
  expect(others).toEqual([]);
  expect(after?.id).toBe(before?.id);
  const seconds = (one = '', other = '') => (Date.parse(other) - Date.parse(one)) / 1000;
  expect(seconds(after?.since, after?.to)).toBeCloseTo(130, 0);
  expect(seconds(after?.since, before?.since)).toBeCloseTo(3600, 0);
});

it('a merged ID leads to the incident', async () => {
  const lab = await started();
  for (const name of a) {
    lab.fall([name]);
    lab.pass(20);
  }
  lab.pass(60);
  const [found] = (await lab.list()).incidents;

  for (const { name, at } of found?.machines ?? []) {
    const id = `${at.slice(0, 19).replaceAll(/[-:]/g, '')}-${name}`;
    expect(await lab.report(id)).toMatchObject({ id: found?.id });
  }
  expect(await lab.report('last')).toMatchObject({ id: found?.id });
  await expect(lab.report('none')).rejects.toThrow('the history has no incident none');
});

it('has a report of a period without incidents, in which nobody is away', async () => {
  const lab = await started();

  expect(await lab.report('all')).toMatchObject({ machines: [], away: [], missing: [] });
  const silences = () => Promise.reject(new Error('it is damaged'));
  vi.spyOn(lab.history(), 'silences').mockImplementation(silences);
  expect(await lab.report('all')).toMatchObject({
    away: [],
    missing: [{ source: 'history', why: 'it is damaged' }],
  });
});

it('has what was done in the last month of a longer incident, and says that the rest is missing', async () => {
  const lab = await started();
  lab.fall(a);
  lab.pass(70);
  lab.clock.pass(40 * 86_400_000);
  lab.pass(5);
  const spans: { since: string; until: string }[] = [];
  const report = await lab.report('last', async (span) => {
    spans.push(span);
    const nothing = { rows: [], truncated: false, unhealthy: [], omitsAudit: true, missing: [] };
    const none = { count: 0, where: '' };
    return { ...span, ...nothing, rack: 'rack4', worse: none, better: none };
  });

  const [{ since = '', until = '' } = {}] = spans;
  expect(Date.parse(until)).toBeGreaterThan(lab.clock.now() - 1000);
  expect(Date.parse(until) - Date.parse(since)).toBe(31 * 86_400_000);
  expect(report.missing).toEqual([{ source: 'timeline', why: expect.stringContaining('31 days') }]);
});

it('says what it knows while the disk hangs', async () => {
  const lab = await started();
  lab.fall(a);
  lab.pass(70);
  const known = (await lab.list()).incidents;
  const silences = () => Promise.reject(new Error('the disk hangs'));
  vi.spyOn(lab.history(), 'silences').mockImplementation(silences);

  expect(await lab.list()).toEqual({
    incidents: known,
    truncated: false,
    missing: [{ source: 'history', why: 'the disk hangs' }],
  });
  await expect(lab.report('none')).rejects.toThrow('history: the disk hangs');
});

it('keeps 40 incidents of 300 machines a day, and forgets in memory what is over', async () => {
  const many = parseRack(
    `rack: rack4
network: { subnet: 10.0.0.0/16 }
jumphost: { name: jumphost, address: 10.0.0.8 }
machines:
  rpi-[001-300]: { kind: rpi }
`,
    { file: 'rack.yaml' },
  );
  const clock = fakeClock();
  const history = newHistory({ stateDir: await tempDir(), clock });
  const agents = { view: () => ({ seenAt: clock.now() }) };
  const incidents = new Incidents({ rack: () => many, clock, history, agents });
  const say = (name: string, condition: Machine['condition'], cause?: string) => {
    const now = new Date(clock.now()).toISOString();
    const machine: Machine = {
      ...{ name, kind: 'rpi', condition, sentence: 'silent', since: now, lastSeen: now },
      ...(cause && { cause: sharedCause('shelf', cause) }),
      ...{ pools: [], devices: [], repairs: [], orders: [], alerts: [], wiring: { power: [] } },
    };
    incidents.consume({ type: 'machine', machine, isReadingsOnly: false });
  };
  for (let outage = 0; outage < 40; outage += 1) {
    for (const name of many.machines.keys()) say(name, 'stale', `shelf${outage}`);
    clock.sleep(300_000);
    for (const name of many.machines.keys()) say(name, 'ok');
    clock.sleep(1_860_000);
    incidents.tick();
    expect(incidents.known()).toEqual([]);
  }

  const span = { since: '2026-11-20T00:00:00Z', limit: 1000 };
  const found = await listIncidents({ clock, history, incidents }, span);
  expect(found.incidents.map(({ cause, machines }) => [cause?.code, machines.length])).toEqual(
    Array.from({ length: 40 }, (_, at) => [`shelf:shelf${39 - at}`, 300]),
  );
});

const names = [...rack.machines.keys()];
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ fall: fc.subarray(names) }) },
  { weight: 3, arbitrary: fc.record({ answer: fc.subarray(names) }) },
  { weight: 4, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 200 }) }) },
  { weight: 1, arbitrary: fc.record({ wall: fc.integer({ min: -7200, max: 7200 }) }) },
  { weight: 1, arbitrary: fc.record({ restart: fc.integer({ min: 0, max: 400 }) }) },
);

it('whatever happens, each silence is in one incident, and those that are silent are in an open one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const lab = await started();
      const ids = new Set<string>();
      for (const each of steps) {
        if ('fall' in each) lab.fall(each.fall.filter((name) => !lab.world.silent.has(name)));
        if ('answer' in each) lab.answer(each.answer);
        if ('pass' in each) lab.pass(each.pass);
        if ('wall' in each) lab.clock.setWall(lab.clock.now() + each.wall * 1000);
        if ('restart' in each) await lab.restart(each.restart * 1000);
        lab.pass(1);
        const { incidents } = await lab.list();
        const open = incidents.flatMap(({ machines }) =>
          machines.filter(({ answeredAt }) => answeredAt === undefined).map(({ name }) => name),
        );
        const silent = names.filter((name) =>
          ['stale', 'gone'].includes(lab.machine(name)?.condition ?? ''),
        );
        expect(open.toSorted()).toEqual(silent.toSorted());
        for (const { id, since, to = since, machines } of incidents) {
          expect(since <= to).toBe(true);
          for (const { at, answeredAt = at } of machines) expect(at <= answeredAt).toBe(true);
          ids.add(id);
        }
        // No ID is lost: it leads to an incident.
        for (const id of ids) await lab.report(id);
      }
      await lab.history().close();
    }),
    runs(10),
  );
});
