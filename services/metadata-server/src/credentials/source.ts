/** What every kind of credentials offers. One file for each kind beside this one. */
import { isSafeForSecrets } from '@skolo/rack';

export interface IssuedToken {
  token: string;
  /** Seconds of life, counted from when it was asked for. */
  lifeSeconds: number;
}

export interface TokenSource {
  /** Files that hold the credentials: when one changes, a failed attempt is worth repeating at once. */
  files: readonly string[];
  /** The account's e-mail address, where the credentials tell it. Throws where they cannot be read. */
  email(): Promise<string | undefined>;
  /** Reads the credentials anew and asks upstream. Throws `UpstreamError` or `SecretError`. */
  accessToken(scopes: readonly string[], signal: AbortSignal): Promise<IssuedToken>;
  /** The same for an OpenID Connect token; absent where this kind of credentials has none. */
  idToken?(audience: string, signal: AbortSignal): Promise<IssuedToken>;
}

export interface SourceDeps {
  /** The folder that relative paths refer to. */
  dir: string;
  /** Wall clock, in milliseconds. */
  now: () => number;
}

/** Upstream did not give a token. The message never holds a token, an assertion or a key. */
export class UpstreamError extends Error {
  readonly code: 'unreachable' | 'refused' | 'unexpected-answer';

  constructor(code: UpstreamError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UpstreamError';
    this.code = code;
  }
}

/** Tokens and keys must not travel in clear text. Throws `UpstreamError`. */
export function requireSafeUrl(url: string, what: string): string {
  if (URL.canParse(url) && isSafeForSecrets(new URL(url))) return url;
  throw new UpstreamError('refused', `${what} must be an https address (http only on loopback)`);
}
