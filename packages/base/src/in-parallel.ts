/**
 * Runs the work for every item, at most `atOnce` at a time, and returns the results in the order of the items.
 *
 * @throws What the work throws. The other work continues, but is not awaited.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  async function workInTurn() {
    for (const [at, item] of waiting) results[at] = await work(item);
  }
  await Promise.all(Array.from({ length: atOnce }, workInTurn));
  return results;
}
