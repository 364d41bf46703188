import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { createServer as createHttpServer } from '@skolo/errors/http';
import { type AnswerMalformed, answerStrictly } from './strict-requests.ts';

/** Long enough for a slow line, short enough against a thousand idle connections. */
const timeouts: ServerOptions = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  // Longer than the 60 s of proxies, so that the client closes first.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

interface NewServerOptions {
  /** Receives requests, except those with too many or contradictory headers. */
  handler: RequestListener;
  /** Overrides of our defaults. */
  serverOptions?: ServerOptions | undefined;
  /** With it, the server speaks https. */
  tls?: TlsOptions | undefined;
  answerMalformed?: AnswerMalformed | undefined;
}

/** An HTTP server with time-outs that answers malformed requests with a problem. */
export function newServer({ handler, serverOptions, tls, answerMalformed }: NewServerOptions) {
  const options = { ...timeouts, ...serverOptions };
  const server: Server = tls
    ? createHttpsServer({ ...options, ...tls })
    : createHttpServer(options);
  return answerStrictly(server, handler, answerMalformed);
}
