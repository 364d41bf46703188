/**
 * A connection through an HTTP proxy (RFC 9110, sections 7.1 and 9.3.6): with CONNECT to https servers, and with the
 * whole URL in the request to others.
 *
 * With node:http's parser, which limits the headers of a response. Node's own proxy agent ends the process if a proxy
 * sends endless headers, and ignores the signal (Node 24.21); undici's repeats CONNECT without a pause while a proxy
 * closes the connection (7.29); https-proxy-agent passes the proxy's response on as that of the server (7.0).
 */
import type { ClientRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { request as plainRequest, STATUS_CODES } from '../http.ts';
import { withDeadline } from '../time/deadline.ts';
import { reasonOf } from './network-error.ts';
import { hostOf, ProxyError, portOf, proxyFor } from './proxy.ts';

/** Options of node:http's request. */
export interface Way {
  createConnection: () => Socket;
  path: string;
  headers: Record<string, string>;
}

interface WayOptions {
  signal: AbortSignal | undefined;
  /** The source address; default: chosen by the system. */
  localAddress?: string | undefined;
}

const connectWithinMs = 10_000;

/**
 * Undefined if the server is reached directly.
 *
 * @throws ProxyError, or the reason of the signal
 */
export async function openWay(url: URL, options: WayOptions): Promise<Way | undefined> {
  const proxy = proxyFor(url);
  if (proxy === undefined) return undefined;
  const to = { host: hostOf(proxy), port: portOf(proxy), localAddress: options.localAddress };
  const { origin, pathname, search } = url;
  if (url.protocol !== 'https:') {
    const createConnection = () => (proxy.protocol === 'https:' ? connectTls(to) : connect(to));
    return { createConnection, path: origin + pathname + search, headers: authorization(proxy) };
  }
  const what = `the proxy ${proxy.host}`;
  const late = () => new ProxyError(`${what}: no connection within ${connectWithinMs / 1000} s`);
  const limits = { ms: connectWithinMs, late, signal: options.signal };
  const socket = await withDeadline(limits, async (signal) => {
    const asked = (proxy.protocol === 'https:' ? tlsRequest : plainRequest)({
      ...to,
      method: 'CONNECT',
      path: `${url.hostname}:${portOf(url)}`,
      headers: { host: `${url.hostname}:${portOf(url)}`, ...authorization(proxy) },
      agent: false,
      signal,
    });
    return await connected(asked).catch((error: unknown) => {
      throw new ProxyError(`${what}: ${reasonOf(error)}`);
    });
  });
  return { createConnection: () => overTls(socket, url), path: pathname + search, headers: {} };
}

/** A connection of its own, without a proxy. */
export function directWay(url: URL): Way {
  const host = hostOf(url);
  const to = { host, port: portOf(url), ...(isIP(host) === 0 && { servername: host }) };
  const createConnection = () => (url.protocol === 'https:' ? connectTls(to) : connect(to));
  return { createConnection, path: url.pathname + url.search, headers: {} };
}

/** Over TLS to the server. */
export function overTls(socket: Socket, url: URL): Socket {
  const host = hostOf(url);
  return connectTls({ socket, host, ...(isIP(host) === 0 && { servername: host }) });
}

const hints: Record<number, string> = {
  403: '; allow this server there',
  407: '; check the user and password in the variable',
};

function connected(asked: ClientRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    asked.on('error', reject).on('connect', ({ statusCode = 0 }, socket: Socket, head) => {
      if (statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        return resolve(socket);
      }
      socket.destroy();
      const answer = `${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trimEnd();
      reject(new Error(`does not connect to ${asked.path}: ${answer}${hints[statusCode] ?? ''}`));
    });
    asked.end();
  });
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const both = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { 'proxy-authorization': `Basic ${both.toString('base64')}` };
}
