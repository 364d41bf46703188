import { expect, it, vi } from 'vitest';
import { collectOnceIdle } from './collect-garbage.ts';

it('collects once, and not while the process is busy', () => {
  vi.useFakeTimers();
  const collect = vi.fn();
  let utilization = 0.5;
  const eventLoopUtilization = () => ({ idle: 0, active: 0, utilization });
  collectOnceIdle(10_000, { collect, eventLoopUtilization });

  vi.advanceTimersByTime(30_000);
  const whileBusy = collect.mock.calls.length;
  utilization = 0.05;
  vi.advanceTimersByTime(60_000);
  vi.useRealTimers();

  expect([whileBusy, collect.mock.calls.length]).toEqual([0, 1]);
});
