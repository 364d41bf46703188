/** Which requests a server of ours answers at all: those whose headers all arrived, and that name one host. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { problemType } from '@skolo/api/problem';
import { HttpProblem } from './problem.ts';

/**
 * The limit of Envoy and Apache httpd. Node's own limit is 1000: it drops the rest without a word, so that a proxy's
 * `X-Forwarded-For` after 1000 others of the caller's is not seen.
 */
export const mostHeaders = 100;

/** Node keeps the first of these and drops the others, while a proxy in front may have read the last. Each of another length. */
const onlyOnce = ['host', 'authorization'];

/** How a request that is rejected unread is answered. */
export type AnswerMalformed = (problem: HttpProblem) => {
  headers: Record<string, string>;
  body: string;
};

/** Why the request is rejected: its headers are too many, or contradict each other. Undefined: it is not. */
export function headerProblem({ rawHeaders }: IncomingMessage): HttpProblem | undefined {
  if (rawHeaders.length > 2 * mostHeaders) {
    return new HttpProblem(431, `more than ${mostHeaders} headers; send fewer`);
  }
  let seen: string[] | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] ?? '';
    // Most headers have another length: their names need not be read.
    const name = onlyOnce.find(({ length }) => length === header.length);
    if (name === undefined || header.toLowerCase() !== name) continue;
    if (seen?.includes(name)) return new HttpProblem(400, `more than one header ${name}; send one`);
    seen ??= [];
    seen.push(name);
  }
  return undefined;
}

/** Lets `listener` answer the requests that have no {@link headerProblem}; `reject` answers the others. */
export function onStrictRequest(
  server: Server,
  listener: RequestListener,
  reject: (problem: HttpProblem, response: ServerResponse) => void = rejectWith(asProblem),
): void {
  // No limit: Node's would drop headers. The limit of their bytes (16 KiB) holds.
  server.maxHeadersCount = 0;
  server.on('request', (request, response) => {
    const problem = headerProblem(request);
    if (problem === undefined) listener(request, response);
    else reject(problem, response);
  });
}

/** {@link onStrictRequest}, with the same form of answer to what Node cannot read as a request. */
export function answerStrictly(
  server: Server,
  listener: RequestListener,
  answerMalformed: AnswerMalformed = asProblem,
): Server {
  onStrictRequest(server, listener, rejectWith(answerMalformed));
  return server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    answerClientError(error, socket, answerMalformed);
  });
}

function asProblem(problem: HttpProblem): ReturnType<AnswerMalformed> {
  const headers = { 'content-type': problemType, 'x-request-id': randomUUID() };
  return { headers, body: JSON.stringify(problem) };
}

function rejectWith(answerMalformed: AnswerMalformed) {
  return function reject(problem: HttpProblem, response: ServerResponse): void {
    const { headers, body } = answerMalformed(problem);
    response.writeHead(problem.status, {
      ...headers,
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    });
    response.end(body);
  };
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
