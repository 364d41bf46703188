import type { IncomingMessage } from 'node:http';

/** The body of a request; undefined where it is larger. What is left then is not read. */
export async function readText(
  request: IncomingMessage,
  mostBytes: number,
): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length > mostBytes) return undefined;
    pieces.push(bytes);
  }
  return Buffer.concat(pieces).toString();
}
