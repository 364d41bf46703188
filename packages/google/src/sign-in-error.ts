/** Says why there is no token, in a loggable form, and whether a retry can help. */
import { errorCode, NamedError, redacted } from '@skolo/base';
import { networkReason } from '@skolo/base/internet';
import { isSafeForSecrets } from '@skolo/base/secrets';
import { z } from 'zod';

/** The message never contains a token, assertion or key. */
export class SignInError extends NamedError {
  /** `unreachable` is worth a retry: no response, 5xx or 429. */
  readonly code: 'unreachable' | 'rejected' | 'unexpected-answer';
  /** An HTTP status (`503`), a system error (`ECONNREFUSED`), `TIMEOUT`, or else the same as `code`. */
  readonly detail: string;

  constructor(
    code: SignInError['code'],
    message: string,
    { detail = code, ...options }: ErrorOptions & { detail?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.detail = detail;
  }
}

/** The two shapes of Google's errors: OAuth's (RFC 6749, section 5.2) and the APIs'. */
const Rejection = z.union([
  z
    .looseObject({ error: z.string(), error_description: z.string().optional() })
    .transform(({ error, error_description: text }) => (text ? `${error}: ${text}` : error)),
  z
    .looseObject({ error: z.looseObject({ status: z.string(), message: z.string() }) })
    .transform(({ error: { status, message } }) => `${status}: ${message}`),
]);

/** The error for a response other than 2xx from `who`. */
export function rejectedBy(who: string, status: number, json: unknown): SignInError {
  const said = withoutTokens(Rejection.safeParse(json).data ?? '').slice(0, 300);
  const code = status >= 500 || status === 429 || status === 408 ? 'unreachable' : 'rejected';
  return new SignInError(code, `${who}: ${status} ${said}`.trimEnd(), { detail: String(status) });
}

/** The error if there was no response. */
export function unreachable(who: string, error: unknown): SignInError {
  const { text, code } = causeOf(error);
  return new SignInError('unreachable', `${who}: ${text}`, { detail: code });
}

/** Tokens and keys must not be sent in clear text. Throws `SignInError`. */
export function requireSafeUrl(url: string, what: string): string {
  if (URL.canParse(url) && isSafeForSecrets(new URL(url))) return url;
  throw new SignInError('rejected', `${what} must be an https address (http only on loopback)`);
}

/**
 * Replaces words that are long enough to be a token, assertion or key. Google URLs stay, up to
 * their query, because they show which API to enable.
 */
function withoutTokens(message: string): string {
  return message.replace(
    /(https:\/\/(?:[\w-]+\.)+(?:google|googleapis)\.com\/[\w\-/.~:@]*)|[\w\-+/=.~]{40,}/g,
    (_found, address: string | undefined) => address ?? redacted,
  );
}

/** The deepest cause. */
function causeOf(error: unknown): { text: string; code: string } {
  if (!(error instanceof Error)) return { text: 'unknown error', code: 'UNKNOWN' };
  if (error.name === 'TimeoutError') return { text: 'no response in time', code: 'TIMEOUT' };
  if (error.cause instanceof Error) return causeOf(error.cause);
  const code = errorCode(error) ?? 'UNKNOWN';
  const text = networkReason(error) ?? withoutTokens(error.message.split('\n')[0] || error.name);
  return { text, code };
}
