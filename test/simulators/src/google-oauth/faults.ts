/** The ways in which the simulator misbehaves on demand. */
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { playInstead } from '../cloud/fault.ts';
import { garbage } from '../cloud/web-server.ts';
import type { Answer } from './rejection.ts';

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

/** Plays a fault that needs no answer to spoil. False when `kind` is none of these. */
export async function play(kind: FaultKind, response: ServerResponse): Promise<boolean> {
  if (kind === 'not-http') response.socket?.end(garbage);
  else if (kind === 'huge') await sendHuge(response);
  else return playInstead(kind, response, errors);
  return true;
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

const unavailablePage =
  '<!DOCTYPE html>\n<html lang=en><title>Error 503 (Service Unavailable)!!1</title>' +
  '<p><b>503.</b> <ins>That’s an error.</ins><p>The service is temporarily unavailable.\n';

const errors = {
  'status-500': [500, '{"error":"internal_failure"}'],
  'unavailable-html': [503, unavailablePage],
  'too-many-requests': [
    429,
    '{"error":"rate_limit_exceeded","error_description":"Too many requests."}',
  ],
  empty: [200, ''],
} as const;
