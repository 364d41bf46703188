import { expect, it } from 'vitest';
import { timeline } from './timeline.ts';

const minute = (at: number) => new Date(at * 60_000).toISOString();
const omitted = (at: number) => {
  const kind = 'omitted' as const;
  return { kind, machine: 'rpi-1', at: minute(at), endedAt: minute(at), of: 'boot', count: 1 };
};
const stored = [omitted(9), omitted(8), omitted(6)];

it.each([
  [5, [9, 8, 7, 6], false],
  [4, [9, 8, 7, 6], false],
  [3, [9, 8, 7], true],
  [1, [9], true],
])('the newest %i entries of a machine are at %j; there are more: %j', async (limit, at, more) => {
  const history = { entries: async (_: string, __: object, most: number) => stored.slice(0, most) };
  const orders = { history: () => [omitted(7)] };

  const found = await timeline({ history, orders }, 'rpi-1', { from: 0, to: 1e9 }, { limit });

  expect(found.entries.map((entry) => entry.at)).toEqual(at.map(minute));
  expect(found.truncated).toBe(more);
});
