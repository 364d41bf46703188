/** All bytes of a stream. @throws What `tooLarge` returns, if there are more than `most`; what the stream throws. */
export async function bytesUpTo(
  most: number,
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  tooLarge: () => Error,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > most) throw tooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
