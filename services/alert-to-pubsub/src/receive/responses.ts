/** The response of each endpoint, in the form that its clients expect. */
import type { ServerResponse } from 'node:http';
import type { Endpoint } from '@skolo/alerts';
import { problemType } from '@skolo/api';
import { count } from '@skolo/base';
import { HttpProblem } from '@skolo/common';
import { countInvalid, type Received } from './batch.ts';
import type { Rejection } from './rejection.ts';

/** Headers of every response, written in one call: setting them one by one takes Node much longer. */
type Headers = Readonly<Record<string, string>>;

/** Everything is on the disk: alerts in the spool, invalid entries among the dead letters. */
export function accepted(response: ServerResponse, received: Received, headers: Headers): void {
  const { endpoint, bad } = received;
  if (endpoint === 'v1') {
    sendJson(response, 200, { status: 'success' }, headers);
  } else if (endpoint === 'v2' && bad.length > 0) {
    // As in Alertmanager, which keeps the others.
    sendJson(response, 400, whatIsBad(received), headers);
  } else {
    // amtool accepts no other status, and no body.
    response.writeHead(200, { ...headers, 'content-length': 0 });
    response.end();
  }
}

const mostNamed = 5;

function whatIsBad({ firing, resolved, bad }: Received): string {
  const named = bad.slice(0, mostNamed).map(({ why }) => why);
  const invalid = countInvalid(bad);
  const valid = firing + resolved;
  const others = invalid > mostNamed ? [`and ${invalid - mostNamed} more`] : [];
  const were = invalid === 1 ? 'was' : 'were';
  const rest = valid === 1 ? '. The other one was accepted' : '. The others were accepted';
  const what = `${invalid} of ${count(valid + invalid, 'alert')} ${were} invalid`;
  return `${what}: ${[...named, ...others].join('; ')}${valid > 0 ? rest : ''}`;
}

/** @param headers for every answer, unless the response already has some */
export function rejected(
  response: ServerResponse,
  endpoint: Endpoint,
  rejection: Rejection,
  headers: Headers = {},
): void {
  const { status, message } = rejection;
  if (endpoint === 'webhook') {
    const problem = new HttpProblem(status, message, {
      headers: rejection.headers,
      cause: rejection,
    });
    sendProblem(response, problem, headers);
    return;
  }
  const error = { status: 'error', errorType: errorType(status), error: message };
  sendJson(response, status, endpoint === 'v2' ? message : error, {
    ...headers,
    ...rejection.headers,
  });
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

/** The error types of Alertmanager's version 1. */
function errorType(status: number): string {
  return status < 500 ? 'bad_data' : 'server_error';
}
