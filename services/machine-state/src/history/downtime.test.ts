import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { newHistory } from '../testing/history.ts';
import { downtime } from './downtime.ts';
import type { History } from './history.ts';
import { Losses } from './losses.ts';

const hour = 3_600_000;
const day = 24 * hour;

it('ranks by the time that was lost to faults, and counts no order and no plan', async () => {
  const clock = fakeClock('2026-11-20T10:00:00Z');
  const history = await openHistory(clock);
  const begun = clock.now();
  const note = (machine: string, after: number, key: string, outcome = '') =>
    history.add({ machine, kind: 'condition', key, outcome, at: begun + after });
  // Busy: a phone that reboots after each task.
  for (let task = 0; task < 9; task += 1) {
    note('busy', task * hour, 'maintenance', 'rebooting');
    note('busy', task * hour + hour / 2, 'ok');
  }
  note('ordered', 0, 'quarantined', 'forced');
  note('often', 0, 'gone');
  note('often', hour, 'ok');
  note('often', 2 * hour, 'gone');
  note('often', 3 * hour, 'ok');
  note('long', 0, 'recovering', 'forced,battery-low');
  note('long', 5 * hour, 'ok');
  clock.pass(day);

  const found = await downtime(history.conditions(begun), clock.now(), 10);

  expect(found.map(({ name, seconds }) => [name, seconds])).toEqual([
    ['long', (5 * hour) / 1000],
    ['often', (2 * hour) / 1000],
  ]);
});

it('counts how often and how long machines were unable, over days, and why', async () => {
  const clock = fakeClock('2026-11-20T10:00:00Z');
  const history = await openHistory(clock);
  const begun = clock.now();
  const note = (machine: string, after: number, key: string, outcome = '') =>
    history.add({ machine, kind: 'condition', key, outcome, at: begun + after });
  note('rpi-1', 0, 'quarantined', 'battery-low,too-hot');
  note('rpi-1', hour, 'gone');
  // Over midnight.
  note('rpi-1', day, 'ok');
  note('rpi-1', day + hour, 'recovering', 'battery-low');
  note('rpi-2', day, 'gone');
  note('rpi-3', 2 * day, 'ok');
  clock.pass(3 * day);

  const since = (from: number) => downtime(history.conditions(from), clock.now(), 10);

  expect(await since(begun)).toEqual([
    {
      name: 'rpi-1',
      times: 2,
      seconds: (day + 2 * day - hour) / 1000,
      codes: [
        { code: 'battery-low', times: 2 },
        { code: 'gone', times: 1 },
        { code: 'too-hot', times: 1 },
      ],
    },
    { name: 'rpi-2', times: 1, seconds: (2 * day) / 1000, codes: [{ code: 'gone', times: 1 }] },
  ]);
  expect((await since(begun + day + 1)).map(({ name }) => name)).toEqual(['rpi-1']);
});

it('counts how often machines were lost in the last week', async () => {
  const clock = fakeClock('2026-11-20T10:00:00Z');
  const history = await openHistory(clock);
  const keys = {
    'rpi-1': ['gone', 'gone', 'ok', 'gone'],
    'rpi-2': ['stale', 'ok'],
    'rpi-3': ['gone'],
  };
  for (const [machine, all] of Object.entries(keys)) {
    for (const key of all) {
      history.add({ machine, kind: 'condition', key, at: clock.now() });
      clock.pass(hour);
    }
  }
  const losses = new Losses({ history, clock });
  await losses.tick();
  expect(losses.lastWeek).toBe(3);
  clock.pass(7 * day - 2 * hour);
  await losses.tick();

  expect(losses.lastWeek).toBe(1);
});

async function openHistory(clock: ReturnType<typeof fakeClock>): Promise<History> {
  const history = newHistory({ stateDir: await tempDir(), clock });
  await history.open();
  return history;
}
