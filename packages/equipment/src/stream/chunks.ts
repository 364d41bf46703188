/** Joins received data into ever larger chunks: a device that sends single bytes must not use a hundred times the memory of its answer. */

/** Larger ones are kept as received. */
const largeEnough = 64 * 1024;

/** Appends a chunk to others. Each byte is copied at most a few times. */
export function addChunk(chunks: Buffer[], chunk: Buffer): void {
  let last = chunk;
  for (let before = chunks.at(-1); before !== undefined; before = chunks.at(-1)) {
    if (before.length > last.length || before.length >= largeEnough) break;
    chunks.pop();
    last = Buffer.concat([before, last]);
  }
  chunks.push(last);
}
