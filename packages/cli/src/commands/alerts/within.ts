import { orAborted, settlesWithin } from '@skolo/base';

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
  return await settlesWithin(ms, orAborted(promise, signal));
}
