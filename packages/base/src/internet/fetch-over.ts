/** `fetch` over connections that the caller opens, limited to what our clients use. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { request } from '../http.ts';
import type { Way } from './way.ts';

export interface FetchInit extends RequestInit {
  /** Called when the operating system has taken the whole request: from then on, the server may have received it. */
  onSent?: (() => void) | undefined;
}

/**
 * The global `fetch` without `Request`, whose signal follows that of the caller only until a garbage collection (Node 24.21): a deadline
 * would end with it. The linter rejects `Request`.
 */
export type Fetch = (url: string | URL, init?: FetchInit) => Promise<Response>;

/**
 * Redirects are not followed, and connections are not reused.
 *
 * @param connect opens the connection of a request, and completes its headers
 */
export function fetchOver(
  connect: (url: URL, headers: Headers, signal: AbortSignal | undefined) => Promise<Way>,
): Fetch {
  return async function fetchOverConnection(to, init = {}) {
    const { headers, body, signal } = init;
    const url = new URL(to);
    const stop = signal ?? undefined;
    stop?.throwIfAborted();
    // Serializes the body, and names its type if the headers do not.
    const content = new Response(body ?? null, { ...(headers && { headers }) });
    const bytes = Buffer.from(await content.arrayBuffer());
    try {
      const way = await connect(url, content.headers, stop);
      return responseOf(await send(init, url, bytes, way));
    } catch (cause) {
      stop?.throwIfAborted();
      // As fetch does, so that callers find the reason in `cause`.
      throw new TypeError('fetch failed', { cause });
    }
  };
}

function send(
  { method = 'GET', signal, onSent }: FetchInit,
  url: URL,
  body: Buffer,
  { headers, ...way }: Way,
) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const length = body.length > 0 ? { 'content-length': String(body.length) } : {};
  const sent = request({
    ...way,
    method: method.toUpperCase(),
    ...(signal && { signal }),
    headers: { ...headers, host: url.host, ...length },
  });
  sent
    .on('error', (error) => {
      sent.destroy();
      reject(error);
    })
    .on('finish', () => onSent?.())
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
