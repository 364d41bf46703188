import { setTimeout } from 'node:timers/promises';

/** 24 days. Node ends a longer timer after a millisecond. */
export const longestTimerMs = 2 ** 31 - 1;

/**
 * Waits for some milliseconds, at most as long as a timer can, or until a signal is aborted.
 *
 * @throws The signal's reason, as soon as it is aborted.
 */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(Math.min(ms, longestTimerMs), undefined, signal && { signal }).catch(() => {
    throw signal?.reason;
  });
}
