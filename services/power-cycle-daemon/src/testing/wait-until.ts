import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The first value that is not undefined, asked for again and again.
 *
 * @throws Error There was none within the time.
 */
export async function waitUntil<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  withinMs = 30_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms`);
    await sleep(50);
  }
}
