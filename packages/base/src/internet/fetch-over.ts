/** `fetch` over connections that the caller opens, limited to what our clients use. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { request } from '../http.ts';
import type { Way } from './way.ts';

/**
 * Redirects are not followed, and connections are not reused.
 *
 * @param connect opens the connection of a request, and completes its headers
 */
export function fetchOver(connect: (asked: Request, url: URL) => Promise<Way>): typeof fetch {
  return async function fetchOverConnection(input, init) {
    const asked = new Request(input, init);
    const url = new URL(asked.url);
    const body = Buffer.from(await asked.arrayBuffer());
    try {
      return responseOf(await send(asked, url, body, await connect(asked, url)));
    } catch (cause) {
      if (asked.signal.aborted) throw asked.signal.reason;
      // As fetch does, so that callers find the reason in `cause`.
      throw new TypeError('fetch failed', { cause });
    }
  };
}

function send(asked: Request, url: URL, body: Buffer, { headers, ...way }: Way) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { method, signal } = asked;
  const length = body.length > 0 ? { 'content-length': String(body.length) } : {};
  const sent = request({
    ...way,
    method,
    signal,
    headers: { ...headers, host: url.host, ...length },
  });
  sent
    .on('error', (error) => {
      sent.destroy();
      reject(error);
    })
    .on('response', (response) => {
      response.on('close', () => sent.destroy());
      resolve(response);
    })
    .end(body);
  return promise;
}

const withoutBody = new Set([204, 205, 304]);

function responseOf(message: IncomingMessage): Response {
  const { statusCode = 502, statusMessage = '', rawHeaders } = message;
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  }
  if (withoutBody.has(statusCode)) message.resume();
  // Node's type and the web's type are the same stream.
  const body = withoutBody.has(statusCode) ? null : (Readable.toWeb(message) as ReadableStream);
  return new Response(body, { status: statusCode, statusText: statusMessage, headers });
}
