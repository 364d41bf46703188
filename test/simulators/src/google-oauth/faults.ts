/** The ways in which the simulator misbehaves on demand. */
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Call, Endpoint } from './calls.ts';
import type { Answer } from './refusal.ts';

/** Instead of an answer; nothing is issued. */
const early = [
  'status-500',
  'unavailable-html',
  'too-many-requests',
  'garbage',
  'not-http',
  'empty',
  'huge',
  'hang',
  'reset',
] as const;
/** What is right in the answer gets spoilt; a token has been issued, as it would be for real. */
const late = [
  'no-token',
  'empty-token',
  'expiry-missing',
  'expiry-string',
  'expiry-negative',
  'expiry-zero',
  'truncated',
  'drip',
] as const;

export const faultKinds = [...early, 'slow', ...late] as const;
/**
 * - `status-500`, `unavailable-html` (503, an HTML page), `too-many-requests` (429 with Retry-After)
 * - `garbage`: 200 with bytes that are no text; `not-http`: bytes that are no HTTP; `empty`: 200 without a body
 * - `huge`: 200 with a token of 64 MiB; `hang`: never answers; `reset`: the connection is reset
 * - `slow`: waits for `release()`, then answers as if nothing had been
 * - `no-token`, `empty-token`, `expiry-…`: JSON whose token or time of expiry is missing or nonsense
 * - `truncated`: the connection ends in the middle of the body; `drip`: one byte at a time
 */
export type FaultKind = (typeof faultKinds)[number];

export interface FaultOptions {
  /** How many calls it hits; until `stop()` when absent. */
  times?: number;
  /** The endpoints it hits; the token-giving ones when absent. */
  endpoints?: Endpoint[];
}

/** One misbehaviour that was asked for. */
export class Fault {
  readonly kind: FaultKind;
  readonly endpoints: readonly Endpoint[];
  /** Calls that ran into it, oldest first. */
  readonly hits: Call[] = [];
  private left: number;
  private held: (() => void)[] = [];
  private waiting: { settled: () => boolean; resolve: () => void }[] = [];

  constructor(kind: FaultKind, options: FaultOptions) {
    this.kind = kind;
    this.endpoints = options.endpoints ?? [
      'token',
      'sts',
      'generateAccessToken',
      'generateIdToken',
    ];
    this.left = options.times ?? Number.POSITIVE_INFINITY;
  }

  applies(endpoint: Endpoint): boolean {
    return this.left > 0 && this.endpoints.includes(endpoint);
  }

  hit(call: Call): void {
    this.left -= 1;
    this.hits.push(call);
    call.fault = this.kind;
    this.update();
  }

  /** Resolves once `count` calls have run into it. */
  async arrived(count = 1): Promise<void> {
    await this.until(() => this.hits.length >= count);
  }

  /** Resolves once `count` of the calls that ran into it were given up by their clients. */
  async hungUp(count = 1): Promise<void> {
    await this.until(() => this.hits.filter((call) => call.hungUp).length >= count);
  }

  /** A call that it hit has changed. */
  update(): void {
    this.waiting = this.waiting.filter(({ settled, resolve }) => {
      if (!settled()) return true;
      resolve();
      return false;
    });
  }

  private async until(settled: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.waiting.push({ settled, resolve });
      this.update();
    });
  }

  /** Lets the calls go that `slow` holds. */
  release(): void {
    for (const go of this.held.splice(0)) go();
  }

  /** Hits nobody any more; held calls go on. */
  stop(): void {
    this.left = 0;
    this.release();
  }

  async hold(): Promise<void> {
    await new Promise<void>((resolve) => this.held.push(resolve));
  }
}

/** Plays a fault that needs no answer to spoil. False when `kind` is none of these. */
export async function playInstead(kind: FaultKind, response: ServerResponse): Promise<boolean> {
  switch (kind) {
    case 'status-500':
      send(response, 500, 'application/json; charset=utf-8', '{"error":"internal_failure"}');
      return true;
    case 'unavailable-html':
      send(response, 503, 'text/html; charset=UTF-8', unavailablePage);
      return true;
    case 'too-many-requests':
      response.setHeader('retry-after', '30');
      send(
        response,
        429,
        'application/json; charset=utf-8',
        '{"error":"rate_limit_exceeded","error_description":"Too many requests."}',
      );
      return true;
    case 'garbage':
      send(response, 200, 'application/json; charset=utf-8', Buffer.from(allBytes()));
      return true;
    case 'not-http':
      response.socket?.end(Buffer.from(allBytes()));
      return true;
    case 'empty':
      send(response, 200, 'application/json; charset=utf-8', '');
      return true;
    case 'huge':
      await sendHuge(response);
      return true;
    case 'hang':
      return true;
    case 'reset':
      response.socket?.resetAndDestroy();
      return true;
    default:
      return false;
  }
}

/** The answer with its token or expiry spoilt, whichever of Google's two forms it has. */
export function spoil(kind: FaultKind, answer: Answer): Answer {
  if (answer.status !== 200 || typeof answer.body === 'string') return answer;
  const body: Record<string, unknown> = { ...answer.body };
  for (const field of ['access_token', 'accessToken', 'id_token', 'token']) {
    if (!(field in body)) continue;
    if (kind === 'no-token') delete body[field];
    if (kind === 'empty-token') body[field] = '';
  }
  for (const [field, nonsense] of Object.entries(spoiltExpiries)) {
    if (!(field in body)) continue;
    if (kind === 'expiry-missing') delete body[field];
    const value = nonsense[kind];
    if (value !== undefined) body[field] = value;
  }
  return { ...answer, body };
}

const spoiltExpiries: Record<string, { [kind in FaultKind]?: unknown }> = {
  expires_in: { 'expiry-string': 'soon', 'expiry-negative': -3599, 'expiry-zero': 0 },
  expireTime: {
    'expiry-string': 'soon',
    'expiry-negative': '1969-12-31T23:00:00Z',
    'expiry-zero': '1970-01-01T00:00:00Z',
  },
};

/** Sends `body` in the way that `kind` asks for. */
export async function transmit(
  kind: FaultKind | undefined,
  response: ServerResponse,
  body: Buffer,
): Promise<void> {
  if (kind === 'truncated') {
    response.write(body.subarray(0, body.length / 2), () => response.socket?.end());
  } else if (kind === 'drip') {
    for (const byte of body) {
      if (response.destroyed) return;
      await new Promise<void>((resolve) => {
        response.write(Buffer.from([byte]), () => setImmediate(resolve));
      });
    }
    response.end();
  } else {
    response.end(body);
  }
}

function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string | Buffer,
): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** 64 MiB, written no faster than the client takes it. */
async function sendHuge(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  try {
    await pipeline(hugeBody, response);
  } catch (error) {
    // The client had enough of it.
    if (!response.destroyed) throw error;
  }
}

function* hugeBody(): Generator<string | Buffer> {
  const piece = Buffer.alloc(64 * 1024, 'x');
  yield '{"expires_in":3599,"token_type":"Bearer","access_token":"';
  for (let sent = 0; sent < 64 * 1024 * 1024; sent += piece.length) yield piece;
  yield '"}';
}

function allBytes(): number[] {
  return Array.from({ length: 256 }, (_, index) => 255 - index);
}

const unavailablePage =
  '<!DOCTYPE html>\n<html lang=en><title>Error 503 (Service Unavailable)!!1</title>' +
  '<p><b>503.</b> <ins>That’s an error.</ins><p>The service is temporarily unavailable.\n';
