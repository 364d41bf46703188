/** A request as a simulated device sees it, and what it answers. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';

/** Who may sign in. */
export interface Account {
  username: string;
  password: string;
}

/** One request. */
export interface Asked {
  method: string;
  path: string;
  /** Not decoded. */
  query: string;
  params: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  /** Path and query as they came. */
  target: string;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body?: string | object;
}

export function inBytes({ status = 200, headers, body = '' }: Answer) {
  const isText = typeof body === 'string';
  const content = Buffer.from(isText ? body : JSON.stringify(body));
  const type = isText ? 'text/html' : 'application/json';
  const head = { 'content-type': type, 'content-length': content.length, ...headers };
  return { status, head, content };
}

/** The connection dies in the middle of an answer. */
export function dropMidWay(socket: Socket, content: Buffer): void {
  const half = content.subarray(0, content.length / 2);
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${content.length + 1}\r\n\r\n`);
  socket.write(half, () => socket.destroy());
}
