/** A request and its response: request ID, headers of every response, problems. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import { problemType } from '@skolo/api/problem';
import { anonymous } from '../access/caller-limits.ts';
import { type Logger, logWith } from '../process/log.ts';
import { gzipHeaders, gzipped, isWorthGzip } from './response/gzip.ts';
import { HttpProblem } from './response/problem.ts';
import { placeOf, type ServedRack, toProblem } from './response/to-problem.ts';

const sane = /^[\w.:-]{1,64}$/;

/** The caller's `x-request-id` if it is safe to log, or else a new one. */
export function requestIdFrom(header: string | undefined): string {
  return header !== undefined && sane.test(header) ? header : randomUUID();
}

/** Headers of every response. */
export const plainHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** nginx's status for a caller that disconnected before the response was complete. */
const hungUp = 499;

/** Status of a closed response. */
export function statusOf(response: ServerResponse): number {
  return response.writableFinished ? response.statusCode : hungUp;
}

/** The path of a request target, without its query. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

/** The query of a request target. */
export function queryOf(request: IncomingMessage): object {
  return { ...parseQuery((request.url ?? '').slice(pathOf(request).length + 1)) };
}

export interface ExchangeOptions {
  log: Logger;
  /** The served rack. Each response contains its name, and requests for other racks are rejected; undefined: not known yet. */
  rack?: { readonly rack: ServedRack | undefined } | undefined;
  /** The machine that the service runs on, for the audit log; default: the name of the host. */
  self?: string | undefined;
  /** Compresses larger responses and streams for clients that accept it. They must not contain secrets next to others' texts. */
  compresses?: boolean;
}

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Pattern of the path: a metric's label with few values. */
  route = 'none';
  /** Of the routes whose path matches. */
  readonly methods: string[] = [];
  /** The name with which the caller signed in. */
  caller = anonymous;
  /** Of the body, where a route accepts more. */
  mostBodyBytes = Number.POSITIVE_INFINITY;
  private readonly options: ExchangeOptions;
  private ownLog: Logger | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, options: ExchangeOptions) {
    this.request = request;
    this.response = response;
    this.options = options;
    this.requestId = requestIdFrom(request.headers['x-request-id']?.toString());
    const own = { 'x-request-id': this.requestId, ...plainHeaders };
    for (const [name, value] of Object.entries(own)) response.setHeader(name, value);
  }

  /** Adds the request ID to each line. Created on demand, because most requests do not log anything. */
  get log(): Logger {
    this.ownLog ??= logWith(this.options.log, { requestId: this.requestId });
    return this.ownLog;
  }

  /** A new signal each time. */
  get hungUp(): AbortSignal {
    const closed = new AbortController();
    this.response.once('close', () => closed.abort(new Error('the caller has disconnected')));
    return closed.signal;
  }

  /** Responds with text or bytes. Node omits them for HEAD. */
  send(status: number, type: string, body: string | Uint8Array): void {
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
    this.response.writeHead(status, headers).end(body);
  }

  async sendJson(status: number, body: unknown): Promise<void> {
    const type = 'application/json; charset=utf-8';
    const text = asJson(body);
    if (!this.options.compresses || !isWorthGzip(this.request, text.length)) {
      this.send(status, type, text);
      return;
    }
    const packed = await gzipped(text);
    for (const [name, value] of Object.entries(gzipHeaders)) this.response.setHeader(name, value);
    this.send(status, type, packed);
  }

  /** Responds with a problem. An unexpected error becomes a 500 without details, and a log line. */
  fail(error: unknown): void {
    const { request, response } = this;
    const isGone = request.destroyed && !request.complete;
    const { rack, self } = this.options;
    const problem = toProblem(error, placeOf(rack?.rack, self));
    // Without a cause, a request to try again is not a failure.
    const isExpected = problem.cause === undefined && 'retry-after' in problem.headers;
    if (problem.status >= 500 && !isGone && !isExpected)
      this.log.error({ err: error }, 'request failed');
    // A part of the response has been sent, so only a broken connection shows the failure.
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
    // Only a body that is returned can be that deep.
    if (!(error instanceof RangeError)) throw error;
    throw new HttpProblem(400, 'the body is nested too deeply', { cause: error });
  }
}
