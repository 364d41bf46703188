/**
 * Rewrites responses that Node's parser rejects, although RFC 9112 allows recipients to accept them: lines that end with LF alone,
 * continued fields, blanks after the size of a chunk, and data after the response (sections 2.2, 5.2, 7.1.1, 6.3). Everything else
 * remains for the parser to judge, whose lenient mode accepts much more, but not LF in chunks.
 */
import { setImmediate } from 'node:timers/promises';

/** Longer ones go to the parser in pieces, which rejects them. */
const longestLine = 16 * 1024;
/** Limit of a response with all of its framing. */
const mostBytes = 2 * 1024 * 1024;
/** Each costs CPU time, however short it is; a chunk has two. */
const mostLines = 50_000;
/** Then the event loop gets its turn, as they may all be in one packet. */
const linesInTurn = 1000;

/**
 * @param source one response, after any number of interim ones (1xx)
 * @throws RangeError It is too large.
 */
export async function* withLineEnds(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new Input(source);
  let head = '';
  do head = yield* section(input);
  while (/^\S+ 1\d\d/.test(head));
  if (!/^transfer-encoding:.*\bchunked\b/im.test(head)) {
    const [, length = mostBytes] = /^content-length:[ \t]*(\d+)[ \t]*\r$/im.exec(head) ?? [];
    return yield* input.bytes(Number(length));
  }
  for (let size = 1; size > 0; ) {
    const line = await input.line();
    const [, digits] = /^([\da-f]{1,8})[ \t]*(?:;.*)?\r\n$/i.exec(line) ?? [];
    yield Buffer.from(digits === undefined ? line : `${digits}\r\n`, 'latin1');
    size = Number.parseInt(digits ?? '0', 16);
    yield* input.bytes(size);
    if (size > 0) yield Buffer.from(await input.line(), 'latin1');
  }
  yield* section(input);
}

/** Lines up to an empty one; returns them. */
async function* section(input: Input): AsyncGenerator<Buffer, string> {
  const isLast = (line: string) => line === '\r\n' || line === '';
  let line = await input.line();
  yield Buffer.from(line, 'latin1');
  let all = line;
  for (let field = ''; !isLast(line); ) {
    line = await input.line();
    if (/^[ \t]/.test(line) && field.length < longestLine) {
      field += line;
      continue;
    }
    const joined = field.replaceAll(/\r\n[ \t]+/g, ' ') + (isLast(line) ? line : '');
    yield Buffer.from(joined, 'latin1');
    all += joined;
    field = line;
  }
  return all;
}

class Input {
  private readonly source: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);
  private received = 0;
  private lines = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** With CRLF at its end; without one, it is the beginning of a long line, or the input ended there. */
  async line(): Promise<string> {
    this.lines += 1;
    if (this.lines > mostLines) throw new RangeError('too many lines');
    if (this.lines % linesInTurn === 0) await setImmediate();
    let line = '';
    while (line.length < longestLine && (await this.hasMore())) {
      const end = this.rest.indexOf('\n');
      line += this.removeFirst(end < 0 ? longestLine : end + 1).toString('latin1');
      if (end >= 0) return line.replace(/\r?\n$/, '\r\n');
    }
    return line;
  }

  /** As many as there are. */
  async *bytes(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0 && (await this.hasMore()); ) {
      const part = this.removeFirst(left);
      left -= part.length;
      yield part;
    }
  }

  private removeFirst(most: number): Buffer {
    const taken = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(taken.length);
    return taken;
  }

  private async hasMore(): Promise<boolean> {
    if (this.rest.length > 0) return true;
    const { done, value } = await this.source.next();
    if (done === true) return false;
    this.rest = value;
    this.received += value.length;
    if (this.received > mostBytes) throw new RangeError('too many bytes');
    return true;
  }
}
