/**
 * A local URL for a service of a rack, for a browser. The host name in it is a secret of this session, so other users of this
 * computer, who reach the port, too, get nothing. Every request is marked as forwarded.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { errorText } from '@skolo/errors';
import { markForwarded } from './forwarded.ts';
import type { Open } from './tunnel-fetch.ts';

export interface Forward {
  /** `http://SECRET.localhost:PORT` */
  url: string;
  close(): Promise<void>;
}

/** How long a request waits for the tunnel. */
const patienceMs = 10_000;

/**
 * @param target as the jumphost reaches it
 * @param connect through the tunnel
 */
export async function startForward(
  target: { host: string; port: number },
  connect: Open,
): Promise<Forward> {
  const secret = randomBytes(18).toString('hex');
  const sockets = new Set<Duplex>();
  let ownHost = '';

  function isOwn({ headers: { host = '' } }: IncomingMessage): boolean {
    const [given, expected] = [Buffer.from(host.toLowerCase()), Buffer.from(ownHost)];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  /** The same request to the service. */
  async function ask(incoming: IncomingMessage) {
    const { host, port } = target;
    const socket = await connect(host, port, AbortSignal.timeout(patienceMs));
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const asked = request({
      method: incoming.method,
      path: incoming.url,
      headers: headersFor(incoming, target),
      createConnection: () => socket,
    });
    return { asked, socket };
  }

  async function answer(incoming: IncomingMessage, response: ServerResponse) {
    if (!isOwn(incoming)) return refuse(response, 403, 'this address belongs to another user');
    try {
      const { asked, socket } = await ask(incoming);
      response.on('close', () => socket.destroy());
      pipeline(incoming, asked, () => {});
      const [answered]: IncomingMessage[] = await once(asked, 'response');
      if (!answered) return undefined;
      response.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
      return pipeline(answered, response, () => socket.destroy());
    } catch (error) {
      return refuse(
        response,
        502,
        `no answer from ${target.host}:${target.port}: ${errorText(error)}`,
      );
    }
  }

  const server = createServer((incoming, response) => void answer(incoming, response));
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

/** Names that stand for this connection alone. */
const ofConnection = new Set(['host', 'connection', 'keep-alive', 'proxy-connection', 'upgrade']);

function headersFor(
  { rawHeaders }: IncomingMessage,
  { host, port }: { host: string; port: number },
): Record<string, string | string[]> {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    pairs.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  }
  const own = markForwarded(pairs.filter(([name]) => !ofConnection.has(name.toLowerCase())));
  const result: Record<string, string | string[]> = { host: `${host}:${port}` };
  for (const [name, value] of own) {
    const key = name.toLowerCase();
    const before = result[key];
    result[key] = before === undefined ? value : [before, value].flat();
  }
  return result;
}

function refuse(response: ServerResponse, status: number, why: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`);
}
