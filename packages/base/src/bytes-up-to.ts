/** Reads all bytes of a stream, up to a limit. @throws What `tooLarge` returns, if there are more than `most`; what the stream throws. */
export async function bytesUpTo(
  most: number,
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  tooLarge: () => Error,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > most) throw tooLarge();
    addChunk(pieces, Buffer.from(piece.buffer, piece.byteOffset, piece.length));
  }
  return Buffer.concat(pieces);
}

/** Larger ones are kept as received. */
const largeEnough = 64 * 1024;

/**
 * Joins received data into ever larger chunks, because a device that sends single bytes must not use a hundred times the memory of its
 * answer. Each byte is copied at most a few times.
 */
export function addChunk(chunks: Buffer[], chunk: Buffer): void {
  // A small part of a large packet would keep all of it.
  let last = chunk.buffer.byteLength > 2 * chunk.length ? Buffer.from(chunk) : chunk;
  for (let before = chunks.at(-1); before !== undefined; before = chunks.at(-1)) {
    if (before.length > last.length || before.length >= largeEnough) break;
    chunks.pop();
    last = Buffer.concat([before, last]);
  }
  chunks.push(last);
}
