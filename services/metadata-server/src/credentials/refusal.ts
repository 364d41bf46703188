/** What upstream said when it gave no token, in words that may be logged. */
import { z } from 'zod';
import { UpstreamError } from './source.ts';

/** The two shapes of Google's errors: OAuth's (RFC 6749, section 5.2) and the APIs'. */
const OAuthRefusal = z.looseObject({
  error: z.string(),
  error_description: z.string().optional(),
});
const ApiRefusal = z.looseObject({
  error: z.looseObject({ status: z.string(), message: z.string() }),
});

/** The error of an answer that is not 2xx. `host`: who answered, where that is known. */
export function refusedBy(host: string | undefined, status: number, json: unknown): UpstreamError {
  const code = status >= 500 || status === 429 ? 'unreachable' : 'refused';
  const said = withoutTokens(wordsOf(json)).slice(0, 300);
  return new UpstreamError(code, fromHost(host, `${status} ${said}`.trimEnd()));
}

/** The error where no answer came at all. */
export function unreachable(host: string | undefined, error: unknown): UpstreamError {
  return new UpstreamError('unreachable', fromHost(host, reason(error)));
}

function fromHost(host: string | undefined, message: string): string {
  return host === undefined ? message : `${host}: ${message}`;
}

function wordsOf(json: unknown): string {
  const oauth = OAuthRefusal.safeParse(json);
  if (oauth.success) {
    const { error, error_description: description } = oauth.data;
    return description ? `${error}: ${description}` : error;
  }
  const api = ApiRefusal.safeParse(json);
  return api.success ? `${api.data.error.status}: ${api.data.error.message}` : '';
}

/** Replaces whatever is long and unbroken enough to be a token, an assertion or a key. */
function withoutTokens(message: string): string {
  return message.replace(/[\w\-+/=.~]{40,}/g, '<secret>');
}

/** The deepest cause in words: `connect ECONNREFUSED 127.0.0.1:9`, `getaddrinfo ENOTFOUND …`. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.name === 'TimeoutError') return 'no answer in time';
  if (error.cause instanceof Error) return reason(error.cause);
  return withoutTokens(error.message);
}
