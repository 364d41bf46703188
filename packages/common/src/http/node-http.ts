/** The core behind node:http, for small processes. */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Core } from './core.ts';
import { HttpProblem } from './problem.ts';

export function createListener(core: Core): RequestListener {
  return function listener(request, response) {
    void core.answer(core.begin(request, response), (most) => readText(request, most));
  };
}

/** Reads the body of a request. @throws HttpProblem 413: it is larger; the rest is not read. */
export async function readText(request: IncomingMessage, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length > mostBytes) {
      const detail = `the body is larger than ${mostBytes} bytes; send less at once`;
      throw new HttpProblem(413, detail, { headers: { connection: 'close' } });
    }
    pieces.push(bytes);
  }
  return Buffer.concat(pieces).toString();
}
