import { setTimeout } from 'node:timers/promises';

/**
 * Waits for some milliseconds, or until a signal is aborted.
 *
 * @throws The signal's reason, as soon as it is aborted.
 */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, signal && { signal }).catch(() => {
    throw signal?.reason;
  });
}
