/**
 * A server on loopback for a browser. The host name in its URL is secret and specific to this session. So neither other users of this
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

/** A new host name on loopback, and whether a request contains it. */
function secretHost(): { name: string; isNamed(request: IncomingMessage): boolean } {
  const name = `${randomBytes(18).toString('hex')}.localhost`;
  function isNamed({ headers: { host = '' } }: IncomingMessage): boolean {
    const expected = Buffer.from(name);
    const given = Buffer.from(host.toLowerCase().replace(/:\d+$/, ''));
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
  return { name, isNamed };
}

export async function startLocalServer(listener: RequestListener): Promise<LocalServer> {
  const { name, isNamed } = secretHost();
  const server = createServer((request, response) => {
    if (isNamed(request)) return listener(request, response);
    response.writeHead(403, { 'content-type': 'text/plain' });
    response.end('this port accepts only the URL that skolo opened or printed\n');
  });
  const { port, close } = await listenOnLoopback(server);
  return { url: `http://${name}:${port}`, close };
}
