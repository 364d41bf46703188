import { expect, it } from 'vitest';
import { watchLoop } from './loop-lag.ts';

it('the event loop lags after it was blocked, until it runs on time again', async () => {
  const lags = watchLoop();
  const before = lags();

  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
  const blocked = lags();
  const afterTimers = await new Promise((resolve) => setImmediate(() => resolve(lags())));

  expect([before, blocked, afterTimers]).toEqual([false, true, true]);
  await expect.poll(lags).toBe(false);
});
