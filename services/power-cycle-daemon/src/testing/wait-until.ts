import { setTimeout as sleep } from 'node:timers/promises';

const withinMs = 120_000;

/**
 * Polls until a value is not undefined, and returns it.
 *
 * @throws Error There was none within the time limit.
 */
export async function waitUntil<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms`);
    await sleep(50);
  }
}
