import { expect, it } from 'vitest';
import { inRounds } from './rounds.ts';

it('measures in turn, throws the first round away and gives medians', async () => {
  const order: string[] = [];
  const ours = [1000, 1, 2, 30];
  const theirs = [2000, 5, 4, 3];

  const medians = await inRounds(3, {
    ours: async () => {
      order.push('ours');
      return ours.shift() ?? Number.NaN;
    },
    theirs: async () => {
      order.push('theirs');
      return theirs.shift() ?? Number.NaN;
    },
  });

  expect(medians).toEqual({ ours: 2, theirs: 4 });
  expect(order.join(' ')).toBe('ours theirs ours theirs ours theirs ours theirs');
});
