import {
  createServer as createHttpServer,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { type AnswerMalformed, answerStrictly } from './strict-requests.ts';

/** Long enough for a slow line, short enough that nobody can hold a thousand connections open for nothing. */
const timeouts: ServerOptions = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  // Longer than the 60 s after which proxies close theirs: who closes first should be the one who asks.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

export interface NewServerOptions {
  /** Answers requests; those with too many or contradictory headers never reach it. */
  handler: RequestListener;
  /** Each overrides a default of ours. */
  serverOptions?: ServerOptions | undefined;
  /** With it, the server speaks https. */
  tls?: SecureContextOptions | undefined;
  answerMalformed?: AnswerMalformed | undefined;
}

/** An HTTP server with time-outs set, whose answer to what is no HTTP is a problem, too. */
export function newServer({ handler, serverOptions, tls, answerMalformed }: NewServerOptions) {
  const options = { ...timeouts, ...serverOptions };
  const server: Server = tls
    ? createHttpsServer({ ...options, ...tls })
    : createHttpServer(options);
  return answerStrictly(server, handler, answerMalformed);
}
