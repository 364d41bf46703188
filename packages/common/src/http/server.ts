import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { createServer as createHttpServer } from '@skolo/base/http';
import { ConnectionLimits } from '../connections/connection-limits.ts';
import { trackConnections } from '../connections/tracked.ts';
import {
  type AnswerMalformed,
  answerClientError,
  mostHeaders,
  rejectWith,
  requestProblem,
} from './request/strict-requests.ts';

/** Limits of a request until it is complete, for all servers: bytes of its headers with the URL, and milliseconds. Slower ones are ended. */
const requestLimits = {
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
  /** Handles what Node cannot parse. False: `answerMalformed` does. */
  onNotHttp?(error: NodeJS.ErrnoException, socket: Socket): boolean;
}

/** Requests that wait for the response to the one before. Clients send them one by one. */
const mostAhead = 8;

const others = { kind: 'others', most: 256 } as const;

/**
 * An HTTP server that ends slow clients (time limits of headers and request), answers malformed requests with a problem, and those of
 * one connection in turn. A connection that sends many without reading a response is closed: 64 kB of them would be 1,600 responses in
 * memory.
 */
export function newServer(given: NewServerOptions): Server {
  const { handler, serverOptions, tls, answerMalformed, onNotHttp } = given;
  const { connections = new ConnectionLimits({ ownerOf: () => others }) } = given;
  const reject = rejectWith(answerMalformed);
  // Longer than the 60 s of proxies, so that the client closes first.
  const options = { ...requestLimits, keepAliveTimeout: 65_000, ...serverOptions };
  const server: Server = tls
    ? createHttpsServer({ ...options, ...tls })
    : createHttpServer(options);
  connections.guard(server);
  const tracked = trackConnections(server);
  // Node rejects further headers, or drops them: one too many is enough to reject them all. Thousands of short ones would
  // take much memory.
  server.maxHeadersCount = mostHeaders + 1;
  server.on('request', (request, response) => {
    const { socket } = request;
    const { previous, unanswered = 0 } = tracked.of(socket) ?? {};
    function answer() {
      const problem = requestProblem(request);
      if (problem === undefined) handler(request, response);
      else reject(problem, response);
    }
    if (unanswered > 1 + mostAhead) socket.destroy();
    if (socket.destroyed) return;
    if (previous?.closed === false) previous.once('close', () => socket.destroyed || answer());
    else answer();
  });
  // Without this, Node closes the connection.
  server.on('connect', (_request, socket: Socket) => {
    answerClientError({ code: 'CONNECT' }, socket, answerMalformed);
  });
  return server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!onNotHttp?.(error, socket)) answerClientError(error, socket, answerMalformed);
  });
}
