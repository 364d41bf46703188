import type { Machine } from '@skolo/api';
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
    pass: (ms: number) => clock.pass(ms),
    become: (condition: Machine['condition'], ms: number) =>
      set({ condition, since: now(), sentence: condition }, ms),
    runTask(id: string, ms: number) {
      const since = now();
      set({ task: { id, since } }, ms);
      set({ task: undefined, lastTask: { id, since, endedAt: now(), outcome: 'succeeded' } }, 0);
    },
    history: async (kind: string) => {
      const entries = await all.entries('rpi-1', { from: 0, to: clock.now() + 1 }, 10_000);
      return entries.filter((entry) => entry.kind === kind) as Record<string, unknown>[] as {
        condition?: string;
        of?: string;
        count?: number;
        endedAt?: string;
      }[];
    },
  };
}
