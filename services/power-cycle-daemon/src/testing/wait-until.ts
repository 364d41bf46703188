import { ApiError } from '@skolo/api';
import { vi } from 'vitest';

/**
 * Polls until a value is not undefined, and returns it. A service on a busy computer may respond that it is overloaded: it is asked again.
 *
 * @throws What `ask` throws, at once.
 * @throws Error There was no value within the time limit of all waits.
 */
export async function waitUntil<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  // Here, so that its stack names the caller.
  const late = new Error('there is no value yet');
  const result = await vi.waitFor(async () => {
    const settled = await settle(ask);
    if (settled === undefined) throw late;
    return settled;
  });
  if ('error' in result) throw result.error;
  return result.value;
}

/** Returns undefined if it must be asked again. */
async function settle<T>(
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<{ value: T } | { error: unknown } | undefined> {
  try {
    const value = await ask();
    return value === undefined ? undefined : { value };
  } catch (error) {
    return error instanceof ApiError && error.status === 503 ? undefined : { error };
  }
}
