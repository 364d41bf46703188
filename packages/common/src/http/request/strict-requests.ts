/** Decides which requests are rejected before a server handles them: too many or contradictory headers, no path, or not HTTP. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { problemType } from '@skolo/api/problem';
import { HttpProblem } from '../response/problem.ts';

/**
 * The limit of Envoy and Apache httpd. Node alone silently drops headers after 1000, so that a caller could hide the
 * `X-Forwarded-For` of a proxy.
 */
export const mostHeaders = 100;

/** Node keeps the first of these, but a proxy in front may use the last. They differ in length. */
const onlyOnce = ['host', 'authorization'];

/** The response to a malformed request. */
export type AnswerMalformed = (problem: HttpProblem) => {
  headers: Record<string, string>;
  body: string;
  /** Reason phrase; default: that of the status. */
  phrase?: string;
};

/** Too many or contradictory headers, or a target such as `*`, which Express cannot parse; undefined if there is no problem. */
export function requestProblem({ rawHeaders, url = '' }: IncomingMessage): HttpProblem | undefined {
  if (!url.startsWith('/') && !URL.canParse(url)) {
    return new HttpProblem(400, 'the request target is not a path; start it with /');
  }
  if (rawHeaders.length > 2 * mostHeaders) {
    return new HttpProblem(431, `more than ${mostHeaders} headers; send fewer`);
  }
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] ?? '';
    // Most headers have another length, which is quick to check.
    const name = onlyOnce.find(({ length }) => length === header.length);
    if (name === undefined || header.toLowerCase() !== name) continue;
    if (seen.has(name)) return new HttpProblem(400, `more than one ${name} header; send only one`);
    seen.add(name);
  }
  return undefined;
}

function asProblem(problem: HttpProblem): ReturnType<AnswerMalformed> {
  const headers = { 'content-type': problemType, 'x-request-id': randomUUID() };
  return { headers, body: JSON.stringify(problem) };
}

/** Responds before a request reaches its handler. */
export function rejectWith(answerMalformed: AnswerMalformed = asProblem) {
  return function reject(problem: HttpProblem, response: ServerResponse): void {
    const { headers, body, phrase } = answerMalformed(problem);
    response.writeHead(problem.status, phrase, {
      ...problem.headers,
      ...headers,
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    });
    response.end(body);
  };
}

const explained: Readonly<Record<string, HttpProblem | undefined>> = {
  CONNECT: new HttpProblem(400, 'this server is not a proxy; do not use CONNECT'),
  HPE_HEADER_OVERFLOW: new HttpProblem(
    431,
    'the headers are too large; send fewer or shorter ones',
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new HttpProblem(
    408,
    'the request did not arrive in time; send it faster',
  ),
};
const notHttp = new HttpProblem(
  400,
  'this is not a valid HTTP/1.1 request; check whether the client should use http or https',
);

/** Responds to what Node cannot parse. */
export function answerClientError(
  error: Pick<NodeJS.ErrnoException, 'code'>,
  socket: Socket,
  answerMalformed: AnswerMalformed = asProblem,
): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem = explained[error.code ?? ''] ?? notHttp;
  const { headers, body } = answerMalformed(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
