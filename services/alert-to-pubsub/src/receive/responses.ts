/** The response of each endpoint, in the form that its clients expect. */
import type { ServerResponse } from 'node:http';
import type { Endpoint } from '@skolo/alerts';
import { problemType } from '@skolo/api';
import { count } from '@skolo/base';
import type { HttpProblem } from '@skolo/common';
import { countInvalid, type Received } from './batch.ts';

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

export function rejected(
  response: ServerResponse,
  endpoint: Endpoint,
  problem: HttpProblem,
  headers: Headers,
): void {
  const { status, detail } = problem;
  const all = { ...headers, ...problem.headers };
  if (endpoint === 'webhook') sendJson(response, status, problem, all, problemType);
  else if (endpoint === 'v2') sendJson(response, status, detail, all);
  else {
    // The error types of Alertmanager's version 1.
    const errorType = status < 500 ? 'bad_data' : 'server_error';
    sendJson(response, status, { status: 'error', errorType, error: detail }, all);
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers,
  type = 'application/json',
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  const ofBody = { 'content-type': `${type}; charset=utf-8`, 'content-length': bytes.length };
  response.writeHead(status, { ...headers, ...ofBody });
  response.end(bytes);
}
