import { setTimeout } from 'node:timers/promises';

/** The time to connect is not measured. */
export function toConnect(ms: number): number {
  return Math.max(ms, 10_000);
}

/**
 * Whether the promise resolves in time.
 *
 * @throws The rejection, or the reason of the signal.
 */
export async function within(
  promise: Promise<unknown>,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  const timer = new AbortController();
  try {
    const late = setTimeout(ms, false, { signal: AbortSignal.any([signal, timer.signal]) });
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
