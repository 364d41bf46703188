/** Decides the response to a token request: the token, or how long the request waits for one, and which error it gets without one. */
import type { Clock } from '@skolo/common';
import { type Answer, errorPage, retryAfter } from '../document/answers.ts';
import { type HeldToken, NoToken, secondsLeftOf, TooManyTokens } from './renewed-token.ts';

/**
 * How long a request waits for a token. A client times out after 2 s or more; it retries a 503 (gcp-metadata, google-auth, Go's metadata).
 */
export const usualPatienceMs = 2000;

/** Bodies change once a second; a rack sends more requests than that after a power cut. */
const bodies = new WeakMap<HeldToken, { expiresIn: number; answer: Answer }>();

/**
 * `expires_in` is exact at this moment, never negative. `alt`: JSON unless `text`.
 */
export function accessTokenAnswer(held: HeldToken, clock: Clock, alt?: string): Answer {
  const expiresIn = Math.max(0, Math.floor(secondsLeftOf(held, clock)));
  if (alt === 'text') {
    const body = `access_token ${held.value}\nexpires_in ${expiresIn}\ntoken_type Bearer\n`;
    return { status: 200, contentType: 'application/text', body };
  }
  const cached = bodies.get(held);
  if (cached?.expiresIn === expiresIn) return cached.answer;
  const body = JSON.stringify({
    access_token: held.value,
    expires_in: expiresIn,
    token_type: 'Bearer',
  });
  const answer: Answer = { status: 200, contentType: 'application/json', body };
  bodies.set(held, { expiresIn, answer });
  return answer;
}

export function idTokenAnswer(held: HeldToken): Answer {
  return { status: 200, contentType: 'application/text', body: held.value };
}

/** `problem`: what `Tokens` or `RenewedToken.get` threw. Upstream's own text never reaches a caller. */
export function noTokenAnswer(problem: unknown, identity: string): Answer {
  if (problem instanceof TooManyTokens) {
    const why = 'Tokens for new audiences or sets of scopes are being requested too often.';
    return errorPage(429, why, retryAfter(problem.retryAfterSeconds));
  }
  if (!(problem instanceof NoToken)) return errorPage(500, 'No token could be obtained.');
  const why = `Identity ${identity} has no valid token at the moment. Try again.`;
  return errorPage(503, why, retryAfter(problem.retryAfterSeconds));
}

export function noIdTokens(identity: string): Answer {
  return errorPage(404, `The credentials of identity ${identity} do not support ID tokens.`);
}
