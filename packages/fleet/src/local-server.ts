/**
 * A server on loopback for a browser. The host name in its URL is a secret of this session, so other users of this
 * computer, who reach the port, too, get nothing, and neither does a page that points a name of its own here.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { createServer } from '@skolo/errors/http';

export interface LocalServer {
  /** `http://SECRET.localhost:PORT` */
  url: string;
  /** Breaks all connections. */
  close(): Promise<void>;
}

export async function startLocalServer(listener: RequestListener): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  const secret = randomBytes(18).toString('hex');
  let ownHost = '';

  function isOwn({ headers: { host = '' } }: IncomingMessage): boolean {
    const [given, expected] = [Buffer.from(host.toLowerCase()), Buffer.from(ownHost)];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  const server = createServer((request, response) => {
    if (isOwn(request)) return listener(request, response);
    response.writeHead(403, { 'content-type': 'text/plain' });
    response.end('this address belongs to another user\n');
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  ownHost = `${secret}.localhost:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    url: `http://${ownHost}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
