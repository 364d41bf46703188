import { expect, it } from 'vitest';
import { repeat } from './repeat.ts';

it('repeats work, including work that fails, until the signal', async () => {
  const stop = new AbortController();
  let count = 0;
  const { ended } = repeat(
    () => 1,
    async () => {
      count += 1;
      if (count === 3) stop.abort();
      throw new Error('failed');
    },
    stop.signal,
  );

  await ended;

  expect(count).toBe(3);
});

it('does not wait when it is to hurry, and ends after the work', async () => {
  const stop = new AbortController();
  const runs: PromiseWithResolvers<void>[] = [];
  const started = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { hurry, ended } = repeat(
    2 ** 31 - 1,
    async () => {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      started[runs.length - 1]?.resolve();
      await run.promise;
    },
    stop.signal,
  );
  let hasEnded = false;
  const end = ended.then(() => {
    hasEnded = true;
  });

  hurry();
  runs[0]?.resolve();
  await started[1]?.promise;
  stop.abort();
  expect(hasEnded).toBe(false);
  runs[1]?.resolve();
  await end;

  expect(runs).toHaveLength(2);
});

it('begins with the pause if the caller has just done the work, unless it is to hurry', async () => {
  const stop = new AbortController();
  let count = 0;
  const work = async () => {
    count += 1;
    stop.abort();
  };
  const { hurry, ended } = repeat(2 ** 31 - 1, work, stop.signal, 'later');
  const before = count;

  hurry();
  await ended;

  expect([before, count]).toEqual([0, 1]);
});
