/** Long work in short turns, so that other work of this process continues. */
import { setImmediate } from 'node:timers/promises';

const turnMs = 10;

/** Calls `each` for all items, but gives way to other work of this process every few milliseconds. */
export async function inTurns<T>(
  items: Iterable<T>,
  each: (item: T, index: number) => void,
): Promise<void> {
  let end = performance.now() + turnMs;
  let index = 0;
  for (const item of items) {
    each(item, index);
    index += 1;
    if (performance.now() < end) continue;
    await setImmediate();
    end = performance.now() + turnMs;
  }
}
