/**
 * The local end of a tunnel to an API server or jumphost: an HTTP proxy on loopback. Other users of this computer can reach its
 * port, but do not know its password. The port stays the same when the tunnel behind it is replaced.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorText } from '@skolo/base';
import { createServer } from '@skolo/base/http';
import { listenOnLoopback } from './loopback.ts';

/** How long a program waits for a tunnel to reconnect. */
const usualPatienceMs = 10_000;

/**
 * @param open connects to an address, as `host:port`; undefined if it is not allowed
 * @returns the URL contains the password, so it may be written only to a file that nobody else can read
 */
export async function startLocalProxy(
  open: (authority: string, signal: AbortSignal) => Promise<Socket> | undefined,
  patienceMs = usualPatienceMs,
) {
  const secret = randomBytes(24).toString('base64url');
  const expected = Buffer.from(`Basic ${Buffer.from(`skolo:${secret}`).toString('base64')}`);
  const server = createServer((_request, response) => response.writeHead(405).end());

  async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer) {
    client.on('error', () => client.destroy());
    const given = Buffer.from(request.headers['proxy-authorization'] ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return client.end('HTTP/1.1 407 password required\r\nProxy-Authenticate: Basic\r\n\r\n');
    }
    const left = new AbortController();
    client.once('close', () => left.abort());
    try {
      const patience = AbortSignal.any([left.signal, AbortSignal.timeout(patienceMs)]);
      const opening = open(request.url ?? '', patience);
      if (opening === undefined) return client.end('HTTP/1.1 403 address not allowed\r\n\r\n');
      const upstream = await opening;
      if (client.destroyed) return upstream.destroy();
      upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => upstream.destroy());
      client.write('HTTP/1.1 200 connected\r\n\r\n');
      upstream.write(head);
      return upstream.pipe(client).pipe(upstream);
    } catch (error) {
      // Go's clients print the reason phrase.
      return client.end(`HTTP/1.1 503 ${errorText(error)}\r\n\r\n`);
    }
  }

  server.on('connect', (request, client, head) => void tunnel(request, client, head));
  const { port, close } = await listenOnLoopback(server);
  return { url: `http://skolo:${secret}@127.0.0.1:${port}`, close };
}
