/** How each door says what became of a request: as the software that knocks there expects it. */
import type { Door } from '@skolo/alerts';
import { HttpProblem } from '@skolo/common';
import type { Response } from 'express';
import type { Batch } from './heard.ts';
import type { Refused } from './refused.ts';

/** All of it is on the disk, and what is none is among the dead letters. */
export function accepted(response: Response, batch: Batch): void {
  const { door, bad } = batch;
  if (door === 'v1') {
    response.status(200).json({ status: 'success' });
  } else if (door === 'v2' && bad.length > 0) {
    // As Alertmanager, which keeps the others.
    response.status(400).json(whatIsBad(batch));
  } else {
    // amtool takes no other status, and no body.
    response.status(200).end();
  }
}

const mostNamed = 5;

function whatIsBad({ alerts, bad }: Batch): string {
  const named = bad.slice(0, mostNamed).map(({ why }) => why);
  const others = bad.length > mostNamed ? [`and ${bad.length - mostNamed} more`] : [];
  const kept = `${bad.length} of ${alerts.length + bad.length} alerts are none, the others are accepted`;
  return `${kept}: ${[...named, ...others].join('; ')}`;
}

/** @throws HttpProblem Where the answer is a problem. */
export function refused(response: Response, door: Door, refusal: Refused): void {
  const { status, message, headers } = refusal;
  if (door === 'webhook') throw new HttpProblem(status, message, { headers, cause: refusal });
  response.status(status).set(headers);
  if (door === 'v2') response.json(message);
  else response.json({ status: 'error', errorType: errorType(status), error: message });
}

/** Those that Alertmanager's version 1 knew. */
function errorType(status: number): string {
  return status < 500 ? 'bad_data' : 'server_error';
}
