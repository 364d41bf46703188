/** Time limits (deadlines) for any work, and its end when a signal is aborted. */
import { clearImmediate, setImmediate } from 'node:timers';
import { longestTimerMs } from './pause.ts';

/**
 * The result of `work`, or the signal's reason if it is aborted first. The work itself continues.
 *
 * @throws What the work throws, or the signal's reason.
 */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Passes `work` a signal that is aborted when the time is up, or with the caller's signal. Work that does not notice, because it ignores
 * its signal or follows it only weakly, continues, but is no longer waited for.
 *
 * @param late the reason when the time is up
 * @throws The reason of whichever came first, or else what the work throws.
 */
export async function withDeadline<T>(
  { ms, late, signal }: { ms: number; late: () => Error; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  // What arrived while this process was paused or blocked is received first: it was in time.
  let last: NodeJS.Immediate | undefined;
  const timer = setTimeout(
    () => {
      last = setImmediate(() => limit.abort(late()));
    },
    Math.min(ms, longestTimerMs),
  );
  const abort = () => limit.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    return await orAborted(Promise.resolve(work(limit.signal)), limit.signal);
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
    clearImmediate(last);
    signal?.removeEventListener('abort', abort);
  }
}

/** Whether `work` is fulfilled in time. It continues in any case. @throws What it throws in time. */
export async function settlesWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(ms, longestTimerMs));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
