/**
 * A server on loopback for a browser. The host name in its URL is secret and specific to this session, so neither other users of this
 * computer, who can reach the port, nor web pages whose own names resolve to it can use it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from '@skolo/base/http';
import { listenOnLoopback } from './loopback.ts';

export interface LocalServer {
  /** `http://SECRET.localhost:PORT` */
  url: string;
  /** Breaks all connections. */
  close(): Promise<void>;
}

export async function startLocalServer(listener: RequestListener): Promise<LocalServer> {
  const secret = randomBytes(18).toString('hex');
  let ownHost = '';

  function isOwn({ headers: { host = '' } }: IncomingMessage): boolean {
    const [given, expected] = [Buffer.from(host.toLowerCase()), Buffer.from(ownHost)];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  const server = createServer((request, response) => {
    if (isOwn(request)) return listener(request, response);
    response.writeHead(403, { 'content-type': 'text/plain' });
    response.end('this port accepts only the URL that skolo opened or printed\n');
  });
  const { port, close } = await listenOnLoopback(server);
  ownHost = `${secret}.localhost:${port}`;
  return { url: `http://${ownHost}`, close };
}
