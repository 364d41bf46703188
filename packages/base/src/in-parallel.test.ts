import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inParallel } from './in-parallel.ts';

describe('work in parallel', () => {
  it('is done once for each item, so many at a time, and its results are in order', async () => {
    const items = Array.from({ length: 20 }, (_, at) => at);
    let running = 0;
    let most = 0;

    const results = await inParallel(items, 3, async (item) => {
      most = Math.max(most, ++running);
      for (let turns = item % 4; turns >= 0; turns -= 1) await turn();
      running -= 1;
      return 2 * item;
    });

    expect(results).toEqual(items.map((item) => 2 * item));
    expect(most).toBe(3);
  });

  it('fails with the first failure, and the other work goes on', async () => {
    const done: string[] = [];
    const all = inParallel(['a', 'b', 'c', 'd'], 2, async (item) => {
      await turn();
      if (item === 'a') throw new Error('no a');
      done.push(item);
    });

    await expect(all).rejects.toThrow('no a');
    await expect.poll(() => done).toEqual(['b', 'c', 'd']);
  });

  it('is nothing without items', async () => {
    expect(await inParallel([], 5, async () => expect.fail())).toEqual([]);
  });
});
