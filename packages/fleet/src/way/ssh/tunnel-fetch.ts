/** `fetch` through a rack's tunnel, limited to what our API clients use. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { connect } from 'node:tls';
import { errorCode } from '@skolo/base';
import { request } from '@skolo/base/http';
import { markForwarded } from '../local/forwarded.ts';

export type Open = (host: string, port: number, signal: AbortSignal) => Promise<Socket>;

/** How long a request waits for the tunnel. */
const patienceMs = 20_000;

/** Every request is marked as forwarded. Redirects are not followed, and connections are not reused. */
export function tunnelFetch(open: Open): typeof fetch {
  return async function fetchThroughTunnel(input, init) {
    const asked = new Request(input, init);
    const url = new URL(asked.url);
    const body = Buffer.from(await asked.arrayBuffer());
    try {
      const patience = AbortSignal.any([asked.signal, AbortSignal.timeout(patienceMs)]);
      const socket = await open(hostOf(url), portOf(url), patience);
      const stream =
        url.protocol === 'https:' ? connect({ socket, servername: url.hostname }) : socket;
      return responseOf(await send(asked, url, body, stream));
    } catch (cause) {
      if (asked.signal.aborted) throw asked.signal.reason;
      // As fetch does, so that callers find the reason in `cause`.
      throw new TypeError('fetch failed', { cause });
    }
  };
}

function send({ method, headers, signal }: Request, url: URL, body: Buffer, stream: Socket) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // A proxy has responded on it.
  const { bytesRead } = stream;
  const length: [string, string][] = body.length > 0 ? [['content-length', `${body.length}`]] : [];
  request({
    method,
    signal,
    path: `${url.pathname}${url.search}`,
    headers: Object.fromEntries([...markForwarded(headers), ['host', url.host], ...length]),
    createConnection: () => stream,
  })
    .on('error', (error) => {
      // ssh closes a connection that the jumphost could not open.
      const isClosed = ['ECONNRESET', 'EPIPE'].includes(errorCode(error) ?? '');
      const isRefused = isClosed && stream.bytesRead === bytesRead;
      stream.destroy();
      reject(isRefused ? Object.assign(error, { code: 'ECONNREFUSED' }) : error);
    })
    .on('response', (response) => {
      response.on('close', () => stream.destroy());
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

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function portOf({ port, protocol }: URL): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}
