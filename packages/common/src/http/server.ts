import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { problemType } from '@skolo/api';
import { secureContext, type TlsFiles } from '../tls.ts';
import { HttpProblem } from './problem.ts';

/** Long enough for a slow line, short enough that nobody can hold a thousand connections open for nothing. */
const timeouts: ServerOptions = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  // Longer than the 60 s after which proxies close theirs: who closes first should be the one who asks.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

export interface NewServerOptions {
  /** Each overrides a default of ours. */
  serverOptions?: ServerOptions | undefined;
  /** With it, the server speaks https. */
  tls?: TlsFiles | undefined;
  answerMalformed?: AnswerMalformed | undefined;
}

/** How what Node cannot read as a request is answered, in whose place. */
export type AnswerMalformed = (problem: HttpProblem) => {
  headers: Record<string, string>;
  body: string;
};

/** An HTTP server with time-outs set, whose answer to what is no HTTP is a problem, too. */
export function newServer({
  serverOptions,
  tls,
  answerMalformed = asProblem,
}: NewServerOptions): Server {
  const options = { ...timeouts, ...serverOptions };
  const server = tls
    ? createHttpsServer({ ...options, ...secureContext(tls) })
    : createHttpServer(options);
  return server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    answerClientError(error, socket, answerMalformed);
  });
}

const explained = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    new HttpProblem(431, 'the headers are too large; send fewer or shorter ones'),
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    new HttpProblem(408, 'the request did not arrive in time; send it faster'),
  ],
]);
const notHttp = new HttpProblem(
  400,
  'this is not an HTTP/1.1 request; check the client, and http or https',
);

function asProblem(problem: HttpProblem): ReturnType<AnswerMalformed> {
  const headers = { 'content-type': problemType, 'x-request-id': randomUUID() };
  return { headers, body: JSON.stringify(problem) };
}

function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  answerMalformed: AnswerMalformed,
) {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem = explained.get(error.code ?? '') ?? notHttp;
  const { headers, body } = answerMalformed(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
