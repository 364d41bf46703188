import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives back what V8 would keep while a process has little to do: garbage, and the code of functions that ran only once.
 * It takes 60 to 150 ms of a busy machine. Collects twice: what the first time threw away held more. `gc` is only in a
 * context made after the flag, which goes, too.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--stress-flush-code');
  const gc: unknown = runInNewContext('gc');
  for (let time = 0; time < 2 && typeof gc === 'function'; time += 1) gc();
  setFlagsFromString('--no-stress-flush-code');
  setFlagsFromString('--no-expose-gc');
}

/** A collection stops everything, and makes functions slow again that just became fast. */
const busy = 0.1;

/** Collects once: after the first window in which the process works less than a tenth of the time. */
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
