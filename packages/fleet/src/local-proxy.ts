/**
 * The local end of the way to an API server, or to a jumphost: an HTTP proxy on loopback. Other users of this computer reach its port, but do not
 * know its password. The port stays the same while the tunnel behind it comes and goes.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorText } from '@skolo/errors';
import { createServer } from '@skolo/errors/http';

export interface LocalProxy {
  /** With the password: only for a file that nobody else can read. */
  url: string;
  close(): Promise<void>;
}

/** How long a program waits for a tunnel that is being made again. */
const usualPatienceMs = 10_000;

/** @param open connects to an address, as `host:port`; undefined where that is not allowed */
export async function startLocalProxy(
  open: (authority: string, signal: AbortSignal) => Promise<Socket> | undefined,
  patienceMs = usualPatienceMs,
): Promise<LocalProxy> {
  const secret = randomBytes(24).toString('base64url');
  const expected = Buffer.from(`Basic ${Buffer.from(`skolo:${secret}`).toString('base64')}`);
  const sockets = new Set<Duplex>();
  const server = createServer((_request, response) => response.writeHead(405).end());

  async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer) {
    sockets.add(client);
    client.on('error', () => client.destroy()).on('close', () => sockets.delete(client));
    const given = Buffer.from(request.headers['proxy-authorization'] ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return client.end('HTTP/1.1 407 a password is needed\r\nProxy-Authenticate: Basic\r\n\r\n');
    }
    const left = new AbortController();
    client.once('close', () => left.abort());
    try {
      const patience = AbortSignal.any([left.signal, AbortSignal.timeout(patienceMs)]);
      const opening = open(request.url ?? '', patience);
      if (opening === undefined) return client.end('HTTP/1.1 403 not to this address\r\n\r\n');
      const upstream = await opening;
      if (client.destroyed) return upstream.destroy();
      sockets.add(upstream);
      upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => upstream.destroy());
      client.write('HTTP/1.1 200 connected\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
      return upstream.on('close', () => sockets.delete(upstream));
    } catch (error) {
      // Go's clients print the reason phrase.
      return client.end(`HTTP/1.1 503 ${errorText(error)}\r\n\r\n`);
    }
  }

  server.on('connect', (request, client, head) => void tunnel(request, client, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://skolo:${secret}@127.0.0.1:${port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
