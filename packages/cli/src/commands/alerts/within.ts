/** Time limits of alert commands, without the time to connect. */
import { orAborted, settlesWithin } from '@skolo/base';

/** Excludes the time to connect. */
export function toConnect(ms: number): number {
  return Math.max(ms, 30_000);
}

/**
 * Whether the promise resolves in time.
 *
 * @throws The rejection, or the signal's reason.
 */
export async function within(
  promise: Promise<unknown>,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  return await settlesWithin(ms, orAborted(promise, signal));
}
