/** Decides what the sender of alerts is told, also if some of them are invalid: the response of each endpoint, as its clients expect it. */
import type { ServerResponse } from 'node:http';
import type { Endpoint } from '@skolo/alerts';
import { problemType } from '@skolo/api';
import { count } from '@skolo/base';
import type { HttpProblem } from '@skolo/common';
import { countInvalid, type Received } from './batch.ts';

export interface To {
  response: ServerResponse;
  endpoint: Endpoint;
  /** Of every response, written in one call: setting them one by one takes Node much longer. */
  headers: Readonly<Record<string, string>>;
}

/** Everything is on the disk: alerts in the spool, invalid entries among the dead letters. */
export function accepted(to: To, received: Received): void {
  const { response, endpoint, headers } = to;
  if (endpoint === 'v1') sendJson(to, 200, { status: 'success' });
  // As in Alertmanager, which keeps the others.
  else if (endpoint === 'v2' && received.bad.length > 0) sendJson(to, 400, whatIsBad(received));
  // amtool accepts no other status, and no body.
  else response.writeHead(200, { ...headers, 'content-length': 0 }).end();
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

export function rejected(given: To, problem: HttpProblem): void {
  const { status, detail } = problem;
  const to = { ...given, headers: { ...given.headers, ...problem.headers } };
  if (given.endpoint === 'webhook') sendJson(to, status, problem, problemType);
  else if (given.endpoint === 'v2') sendJson(to, status, detail);
  else {
    // The error types of Alertmanager's version 1.
    const errorType = status < 500 ? 'bad_data' : 'server_error';
    sendJson(to, status, { status: 'error', errorType, error: detail });
  }
}

function sendJson(
  { response, headers }: To,
  status: number,
  body: unknown,
  type = 'application/json',
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  const ofBody = { 'content-type': `${type}; charset=utf-8`, 'content-length': bytes.length };
  response.writeHead(status, { ...headers, ...ofBody }).end(bytes);
}
