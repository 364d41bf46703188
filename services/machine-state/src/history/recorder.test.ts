import type { Machine, PowerCycle } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { newHistory, newRecorder } from '../testing/history.ts';

const minute = 60_000;
const hour = 60 * minute;

it('has the latest condition and says what it omits, however often a machine changes', async () => {
  const { become, history, recorder } = await start();

  for (let change = 0; change < 300; change += 1) {
    become(change % 2 ? 'ok' : 'recovering', 5000);
  }
  become('quarantined', minute);
  become('ok', minute);

  recorder.catchUp('rpi-1');
  const conditions = await history('condition');
  const [omitted] = await history('omitted');
  expect(conditions[0]).toMatchObject({ condition: 'ok' });
  expect(omitted).toMatchObject({ of: 'condition', count: 302 - conditions.length });
  expect(recorder.omitted()).toEqual(new Map([['rpi-1', omitted?.count]]));
});

it('omits no condition because of tasks, and ends each task that it has', async () => {
  const { runTask, become, history, recorder } = await start();

  for (let task = 0; task < 500; task += 1) runTask(`t-${task}`, 5000);
  become('quarantined', minute);
  become('ok', minute);

  recorder.catchUp('rpi-1');
  const tasks = await history('task');
  expect((await history('condition')).map(({ condition }) => condition)).toEqual([
    'ok',
    'quarantined',
  ]);
  expect(tasks.filter(({ endedAt }) => endedAt === undefined)).toEqual([]);
  expect(await history('omitted')).toMatchObject([{ of: 'task', count: 500 - tasks.length }]);
});

it('begins anew each hour, and keeps what it has said of the hour before', async () => {
  const { become, history, recorder, pass } = await start();
  for (let change = 0; change < 250; change += 1) become(change % 2 ? 'ok' : 'recovering', 1000);
  recorder.catchUp('rpi-1');
  const before = (await history('condition')).length;

  pass(hour);
  recorder.tick();
  become('gone', minute);

  expect(recorder.omitted()).toEqual(new Map());
  expect(await history('condition')).toHaveLength(before + 1);
  expect(await history('omitted')).toHaveLength(1);
});

it('records that an agent has another version, once, however long it is silent in between', async () => {
  const { set, happened } = await start();
  set({ versions: { agent: '1.0' } }, minute);
  set({ condition: 'gone' }, minute);
  set({ condition: 'ok', versions: { agent: '1.1' } }, minute);
  set({ task: { id: 't' } }, minute);

  const rollouts = (await happened()).filter(({ kind }) => kind === 'rollout');
  expect(rollouts).toMatchObject([{ machine: 'rpi-1', key: '1.1', data: '{"previous":"1.0"}' }]);
});

const switch1 = equipmentCause(['switch-1']);

it('records the cause of a silence when it is found, once', async () => {
  const { set, now, happened } = await start();
  set({ ...began(now()), cause: undefined, sentence: 'no response' }, minute);
  set({ cause: switch1, sentence: 'switch-1 is down' }, minute);
  set({ sentence: 'switch-1 is down (no response)' }, minute);

  const conditions = (await happened()).filter(({ kind }) => kind === 'condition');
  expect(conditions.map(({ key, cause, data }) => [key, cause, data])).toEqual([
    ['stale', switch1, 'switch-1 is down'],
    ['stale', undefined, 'no response'],
  ]);
});

it.each(['t', undefined])(
  'records jobs that were announced elsewhere as tasks, beside a task of the machine: %s',
  async (task) => {
    const { set, now, history } = await start();
    const [at, until] = [now(), '2026-11-20T20:00:00.000Z'];
    const job = (id: string) => ({ id, by: 'ci', since: at, until, reason: `nightly ${id}` });
    const busy = (...ids: string[]) => ({ power: { outlets: [], busy: ids.map(job) } });
    const shown = async () =>
      (await history('task')).map(({ id, outcome }) => `${id}: ${outcome}`).sort();
    set(busy('1'), minute);
    const running = await shown();
    set({ power: undefined }, minute);
    set({ ...busy('2', '1'), task: { id: task, since: at } }, minute);
    const all = await shown();
    set({ ...busy('1'), task: undefined }, minute);
    set({ power: undefined }, minute);
    set({ power: { outlets: [] } }, minute);

    expect(running).toEqual(['nightly 1 (ci): undefined']);
    expect(all).toEqual([
      'nightly 1 (ci): undefined',
      'nightly 2 (ci): undefined',
      `${task}: undefined`,
    ]);
    const ended = ['nightly 1 (ci): ended', 'nightly 2 (ci): ended', `${task}: ended`];
    expect(await shown()).toEqual(ended);
  },
);

it('records two people who are on it at once, beside a hold, each until they end it', async () => {
  const { set, happened } = await start();
  const person = (by: string) => ({ id: by, by, since: '', until: '2026-11-20T20:00:00.000Z' });
  set({ power: { outlets: [], onIt: [person('ann')] } }, minute);
  set({ power: { outlets: [], onIt: [person('ann'), person('bob')] } }, minute);
  set({ power: { outlets: [], onIt: [person('bob')] } }, minute);
  const hold = { ...person('eve'), reason: 'fan' };
  set({ power: { outlets: [], hold, onIt: [person('bob')] } }, minute);

  const holds = (await happened()).filter(({ kind }) => kind === 'hold');
  expect(holds.map(({ key, endedAt }) => [key, endedAt !== undefined])).toEqual([
    ['eve', false],
    ['bob', false],
    ['ann', true],
  ]);
});

type Lab = Awaited<ReturnType<typeof start>>;
const ended = ({ now }: Lab, outcome: string) => ({
  lastTask: { id: 't', since: '2026-11-20T16:00:00.000Z', endedAt: now(), outcome },
  task: undefined,
});
const silence = { condition: 'stale', cause: switch1, sentence: 'switch-1 is down' } as const;
const began = (now: string) => ({ ...silence, since: now, lastSeen: now });

it.each<[string, string | undefined, string, (lab: Lab) => void]>([
  [
    'a power cycle',
    'a power cycle by ann: offline',
    'infrastructure',
    (lab) => {
      lab.cycle('2026-11-20T16:10:00.000Z');
      lab.set({ bootId: 'b', task: undefined }, 0);
    },
  ],
  [
    'a power cycle of an hour before',
    undefined,
    'failed',
    (lab) => {
      lab.cycle('2026-11-20T15:00:00.000Z');
      lab.set(ended(lab, 'failed'), 0);
    },
  ],
  [
    'a reboot',
    'the machine rebooted',
    'infrastructure',
    (lab) => {
      lab.set({ bootId: 'b', task: undefined }, 0);
    },
  ],
  [
    'a dead switch',
    'switch-1 is down',
    'infrastructure',
    (lab) => {
      lab.set(began(lab.now()), minute);
      lab.set({ condition: 'ok', cause: undefined, ...ended(lab, 'failed') }, 0);
    },
  ],
  [
    'itself, while the switch was dead',
    undefined,
    'succeeded',
    (lab) => {
      lab.set(began(lab.now()), minute);
      lab.set({ condition: 'ok', cause: undefined, ...ended(lab, 'succeeded') }, 0);
    },
  ],
  ['itself', undefined, 'failed', (lab) => lab.set(ended(lab, 'failed'), 0)],
  ['its bot', undefined, 'other', (lab) => lab.set(ended(lab, 'made-up'), 0)],
])('knows that %s ended a task', async (_what, infrastructure, outcome, end) => {
  const lab = await start();
  lab.set({ bootId: 'a', task: { id: 't', since: lab.now() } }, 10 * minute);

  end(lab);

  expect((await lab.history('task'))[0]?.infrastructure).toBe(infrastructure);
  const counted = [...lab.recorder.endedTasks].filter(([, count]) => count > 0);
  expect(counted).toEqual([[outcome, 1]]);
});

async function start() {
  const clock = fakeClock('2026-11-20T16:00:00Z');
  const all = newHistory({ stateDir: await tempDir(), clock });
  await all.open();
  const recorder = newRecorder(all, clock);
  let machine = {
    name: 'rpi-1',
    devices: [],
    repairs: [],
    alerts: [],
    orders: [],
  } as unknown as Machine;
  function set(change: Partial<Machine>, ms: number): void {
    const before = machine;
    machine = { ...machine, ...change };
    recorder.consume({ type: 'machine', machine, before, isReadingsOnly: false });
    clock.pass(ms);
    recorder.tick();
  }
  const now = () => new Date(clock.now()).toISOString();
  return {
    recorder,
    set,
    now,
    cycle(startedAt: string) {
      const reported = { id: 'c1', target: 'rpi-1', action: 'cycle', by: 'ann', reason: 'offline' };
      const cycle = { ...reported, requestedAt: startedAt, startedAt } as unknown as PowerCycle;
      recorder.consume({ type: 'cycle', cycle });
    },
    pass: (ms: number) => clock.pass(ms),
    become: (condition: Machine['condition'], ms: number) =>
      set({ condition, since: now(), sentence: condition }, ms),
    runTask(id: string, ms: number) {
      const since = now();
      set({ task: { id, since } }, ms);
      set({ task: undefined, lastTask: { id, since, endedAt: now(), outcome: 'succeeded' } }, 0);
    },
    happened: async () =>
      (await all.happenings({ from: 0, to: clock.now(), changed: [] }, 100)).entries,
    history: async (kind: string) => {
      const entries = await all.entries('rpi-1', { from: 0, to: clock.now() + 1 }, 10_000);
      return entries.filter((entry) => entry.kind === kind) as Record<string, unknown>[] as {
        id?: string;
        outcome?: string;
        condition?: string;
        of?: string;
        count?: number;
        endedAt?: string;
        infrastructure?: string;
      }[];
    },
  };
}
