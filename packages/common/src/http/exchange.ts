/** One request and its answer: the request id, the headers of every answer, and how problems are written. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemType } from '@skolo/api/problem';
import type { Logger } from '../log.ts';
import { HttpProblem } from './problem.ts';
import { toProblem } from './to-problem.ts';

const sane = /^[\w.:-]{1,64}$/;

/** The caller's `x-request-id` if it is one that can be logged and searched for, else a new one. */
export function requestIdFrom(header: string | undefined): string {
  return header !== undefined && sane.test(header) ? header : randomUUID();
}

/** In every answer. */
export const plainHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** As nginx calls it: the caller hung up before the answer was complete. */
const hungUp = 499;

/** Of an answer that is over. */
export function statusOf(response: ServerResponse): number {
  return response.writableFinished ? response.statusCode : hungUp;
}

/** The path of a request target, without its query. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

/** A request that is being answered. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** The pattern of the path: a label of metrics, with few values. */
  route = 'none';
  private readonly parentLog: Logger;
  private ownLog: Logger | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, log: Logger) {
    this.request = request;
    this.response = response;
    this.parentLog = log;
    this.requestId = requestIdFrom(request.headers['x-request-id']?.toString());
    response.setHeader('x-request-id', this.requestId);
    for (const [name, value] of Object.entries(plainHeaders)) response.setHeader(name, value);
  }

  /** Names the request id in each line. Made when something is logged: most requests log nothing. */
  get log(): Logger {
    this.ownLog ??= this.parentLog.child({ requestId: this.requestId });
    return this.ownLog;
  }

  /** Answers with text or bytes. Node leaves them out where the method is HEAD. */
  send(status: number, type: string, body: string | Uint8Array): void {
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
    this.response.writeHead(status, headers).end(body);
  }

  sendJson(status: number, body: unknown): void {
    this.send(status, 'application/json; charset=utf-8', asJson(body));
  }

  /** Answers with the problem that an error is. One that nobody foresaw is a 500 that shows nothing, and a line in the log. */
  fail(error: unknown): void {
    const { request, response } = this;
    const isGone = request.destroyed && !request.complete;
    const problem = toProblem(error);
    if (problem.status >= 500 && !isGone) this.log.error({ err: error }, 'request failed');
    // Half an answer is on its way: only a broken connection tells the caller.
    if (response.headersSent || isGone) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
    this.send(problem.status, `${problemType}; charset=utf-8`, JSON.stringify(problem));
  }
}

function asJson(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (error) {
    // Only what was sent here, and is given back, can be that deep.
    if (!(error instanceof RangeError)) throw error;
    throw new HttpProblem(400, 'the body is nested too deeply', { cause: error });
  }
}
