/** Passes a stream on after `look` has seen its beginning: this many bytes or more, or all of it. */
export async function* afterBeginning(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  look: (beginning: Buffer) => void,
): AsyncGenerator<Uint8Array> {
  let beginning: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (beginning === undefined) {
      yield chunk;
      continue;
    }
    beginning = Buffer.concat([beginning, chunk]);
    if (beginning.length < bytes) continue;
    look(beginning);
    yield beginning;
    beginning = undefined;
  }
  if (beginning === undefined) return;
  look(beginning);
  yield beginning;
}
