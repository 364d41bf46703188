import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Frees memory that V8 would keep while a process is idle: garbage, and the code of functions that ran only once.
 * It takes 60 to 150 ms on a busy machine. Collects twice, because objects freed the first time referenced others. `gc` exists only in a
 * context created after the flag was set, and the context is also freed.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--stress-flush-code');
  const gc: unknown = runInNewContext('gc');
  for (let time = 0; time < 2 && typeof gc === 'function'; time += 1) gc();
  setFlagsFromString('--no-stress-flush-code');
  setFlagsFromString('--no-expose-gc');
}

/** A collection stops everything, and slows down functions that were just optimised. */
const busy = 0.1;

/** Collects once, after the first window in which the process is busy less than a tenth of the time. */
export function collectOnceIdle(
  windowMs: number,
  { collect = collectGarbage, eventLoopUtilization = performance.eventLoopUtilization } = {},
): void {
  const before = eventLoopUtilization();
  const atItsEnd = () => {
    if (eventLoopUtilization(before).utilization < busy) collect();
    else collectOnceIdle(windowMs, { collect, eventLoopUtilization });
  };
  setTimeout(atItsEnd, windowMs).unref();
}
