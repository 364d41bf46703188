/** Joins what came in ever larger pieces: a device that sends single bytes must not cost a hundred times its answer. */

/** Larger ones stay as they came. */
const largeEnough = 64 * 1024;

/** Adds a piece to others, in order. Each byte is copied a few times at most. */
export function addPiece(pieces: Buffer[], piece: Buffer): void {
  let last = piece;
  for (let before = pieces.at(-1); before !== undefined; before = pieces.at(-1)) {
    if (before.length > last.length || before.length >= largeEnough) break;
    pieces.pop();
    last = Buffer.concat([before, last]);
  }
  pieces.push(last);
}
