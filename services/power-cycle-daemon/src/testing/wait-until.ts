import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '@skolo/api';

const withinMs = 120_000;

/**
 * Polls until a value is not undefined, and returns it. On a busy computer, a service may answer that it is overloaded: it is asked again.
 *
 * @throws Error There was none within the time limit.
 */
export async function waitUntil<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const value = await unlessOverloaded(ask);
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms`);
    await sleep(50);
  }
}

async function unlessOverloaded<T>(ask: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError && error.status === 503) return undefined;
    throw error;
  }
}
