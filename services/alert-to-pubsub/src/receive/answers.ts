/** How each door says what became of a request: as the software that knocks there expects it. */
import type { ServerResponse } from 'node:http';
import type { Door } from '@skolo/alerts';
import { problemType } from '@skolo/api';
import { HttpProblem } from '@skolo/common';
import type { Received } from './heard.ts';
import type { Refused } from './refused.ts';

/** Those of every answer. They are written in one piece with its own: Node takes much longer to set one after the other. */
type Headers = Readonly<Record<string, string>>;

/** All of it is on the disk, and what is none is among the dead letters. */
export function accepted(response: ServerResponse, received: Received, headers: Headers): void {
  const { door, bad } = received;
  if (door === 'v1') {
    sendJson(response, 200, { status: 'success' }, headers);
  } else if (door === 'v2' && bad.length > 0) {
    // As Alertmanager, which keeps the others.
    sendJson(response, 400, whatIsBad(received), headers);
  } else {
    // amtool takes no other status, and no body.
    response.writeHead(200, { ...headers, 'content-length': 0 });
    response.end();
  }
}

const mostNamed = 5;

function whatIsBad({ firing, resolved, bad }: Received): string {
  const named = bad.slice(0, mostNamed).map(({ why }) => why);
  const others = bad.length > mostNamed ? [`and ${bad.length - mostNamed} more`] : [];
  const kept = `${bad.length} of ${firing + resolved + bad.length} alerts are none, the others are accepted`;
  return `${kept}: ${[...named, ...others].join('; ')}`;
}

/** @param headers of every answer, where the response has none yet */
export function refused(
  response: ServerResponse,
  door: Door,
  refusal: Refused,
  headers: Headers = {},
): void {
  const { status, message } = refusal;
  if (door === 'webhook') {
    const problem = new HttpProblem(status, message, { headers: refusal.headers, cause: refusal });
    sendProblem(response, problem, headers);
    return;
  }
  const error = { status: 'error', errorType: errorType(status), error: message };
  sendJson(response, status, door === 'v2' ? message : error, { ...headers, ...refusal.headers });
}

export function sendProblem(
  response: ServerResponse,
  problem: HttpProblem,
  headers: Headers,
): void {
  const type = `${problemType}; charset=utf-8`;
  sendJson(response, problem.status, problem, { ...headers, ...problem.headers }, type);
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers,
  type = 'application/json; charset=utf-8',
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  const ofBody = { 'content-type': type, 'content-length': bytes.length };
  response.writeHead(status, { ...headers, ...ofBody });
  response.end(bytes);
}

/** Those that Alertmanager's version 1 knew. */
function errorType(status: number): string {
  return status < 500 ? 'bad_data' : 'server_error';
}
