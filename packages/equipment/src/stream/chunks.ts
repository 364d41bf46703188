/** Joins what came in ever larger chunks: a device that sends single bytes must not cost a hundred times its answer. */

/** Larger ones stay as they came. */
const largeEnough = 64 * 1024;

/** Adds a chunk to others, in order. Each byte is copied a few times at most. */
export function addChunk(chunks: Buffer[], chunk: Buffer): void {
  let last = chunk;
  for (let before = chunks.at(-1); before !== undefined; before = chunks.at(-1)) {
    if (before.length > last.length || before.length >= largeEnough) break;
    chunks.pop();
    last = Buffer.concat([before, last]);
  }
  chunks.push(last);
}
