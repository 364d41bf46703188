/** How each door says what became of a request: as the software that knocks there expects it. */
import type { ServerResponse } from 'node:http';
import type { Door } from '@skolo/alerts';
import { problemType } from '@skolo/api';
import { HttpProblem } from '@skolo/common';
import type { Batch } from './heard.ts';
import type { Refused } from './refused.ts';

/** All of it is on the disk, and what is none is among the dead letters. */
export function accepted(response: ServerResponse, batch: Batch): void {
  const { door, bad } = batch;
  if (door === 'v1') {
    sendJson(response, 200, { status: 'success' });
  } else if (door === 'v2' && bad.length > 0) {
    // As Alertmanager, which keeps the others.
    sendJson(response, 400, whatIsBad(batch));
  } else {
    // amtool takes no other status, and no body.
    response.setHeader('content-length', 0);
    response.end();
  }
}

const mostNamed = 5;

function whatIsBad({ alerts, bad }: Batch): string {
  const named = bad.slice(0, mostNamed).map(({ why }) => why);
  const others = bad.length > mostNamed ? [`and ${bad.length - mostNamed} more`] : [];
  const kept = `${bad.length} of ${alerts.length + bad.length} alerts are none, the others are accepted`;
  return `${kept}: ${[...named, ...others].join('; ')}`;
}

export function refused(response: ServerResponse, door: Door, refusal: Refused): void {
  const { status, message, headers } = refusal;
  if (door === 'webhook') {
    sendProblem(response, new HttpProblem(status, message, { headers, cause: refusal }));
    return;
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const error = { status: 'error', errorType: errorType(status), error: message };
  sendJson(response, status, door === 'v2' ? message : error);
}

export function sendProblem(response: ServerResponse, problem: HttpProblem): void {
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
  sendJson(response, problem.status, problem, `${problemType}; charset=utf-8`);
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  type = 'application/json; charset=utf-8',
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length });
  response.end(bytes);
}

/** Those that Alertmanager's version 1 knew. */
function errorType(status: number): string {
  return status < 500 ? 'bad_data' : 'server_error';
}
