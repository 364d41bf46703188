import { threadCpuMs } from '@skolo/base';
import { expect, it } from 'vitest';
import { watchLoop } from './loop-lag.ts';

it('the event loop lags after it was blocked, until it runs on time again', async () => {
  const { isLate: lags } = watchLoop();
  const before = lags();

  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
  const blocked = lags();
  const afterTimers = await new Promise((resolve) => setImmediate(() => resolve(lags())));

  expect([before, blocked, afterTimers]).toEqual([false, true, true]);
  await expect.poll(lags).toBe(false);
});

/** Uses processor time, in one task. */
function compute(ms: number): void {
  const before = threadCpuMs();
  while (threadCpuMs() - before < ms);
}

it('tells a task that computes from a process that is stopped or starved', async () => {
  const { wasBlockedSince } = watchLoop();
  const turn = () => new Promise((resolve) => setTimeout(resolve, 150));
  const began = performance.now();
  await turn();

  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
  const stopped = wasBlockedSince(began);
  for (let time = 0; time < 6; time += 1) {
    compute(200);
    await turn();
  }
  const busy = wasBlockedSince(began);
  compute(1100);
  const inTheTask = wasBlockedSince(performance.now());
  await turn();
  const afterIt = [began, performance.now()].map(wasBlockedSince);

  expect({ stopped, busy, inTheTask }).toEqual({ stopped: false, busy: false, inTheTask: true });
  expect(afterIt).toEqual([true, false]);
});
