import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { createServer as createHttpServer } from '@skolo/base/http';
import { ConnectionLimits } from '../connections/connection-limits.ts';
import { type AnswerMalformed, answerStrictly, type OnNotHttp } from './request/strict-requests.ts';

/** What a connection may hold before its request is complete: the same for all servers. */
const requestLimits = {
  // Bytes, with the URL.
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
} satisfies ServerOptions;

interface NewServerOptions {
  /** Receives requests, except those with too many or contradictory headers, or without a path. */
  handler: RequestListener;
  /** Default: 256 for all clients together. */
  connections?: ConnectionLimits;
  /** Overrides of our defaults. */
  serverOptions?: ServerOptions | undefined;
  /** With it, the server speaks https. */
  tls?: TlsOptions | undefined;
  answerMalformed?: AnswerMalformed | undefined;
  /** Before `answerMalformed`. */
  onNotHttp?: OnNotHttp;
}

const others = { kind: 'others', most: 256 } as const;

/** An HTTP server with limits of connections and times that answers malformed requests with a problem. */
export function newServer(given: NewServerOptions): Server {
  const { handler, serverOptions, tls } = given;
  const { connections = new ConnectionLimits({ ownerOf: () => others }) } = given;
  // Longer than the 60 s of proxies, so that the client closes first.
  const options = { ...requestLimits, keepAliveTimeout: 65_000, ...serverOptions };
  const server: Server = tls
    ? createHttpsServer({ ...options, ...tls })
    : createHttpServer(options);
  connections.guard(server);
  return answerStrictly(server, handler, given.answerMalformed, given.onNotHttp);
}
