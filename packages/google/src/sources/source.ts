/** What every kind of credentials offers. One file for each kind beside this one. */
import type { Secret } from '@skolo/secrets';

export interface IssuedToken {
  token: string;
  /** Seconds of life, counted from when it was asked for. */
  lifeSeconds: number;
}

export interface TokenSource {
  /** Files that hold the credentials: when one changes, a failed attempt is worth repeating at once. */
  files: readonly string[];
  /** The account's e-mail address, where the credentials name it. Throws where they cannot be read. */
  email(): Promise<string | undefined>;
  /** Reads the credentials again and asks upstream. Throws `SignInError` or `SecretError`. */
  accessToken(scopes: readonly string[], signal: AbortSignal): Promise<IssuedToken>;
  /** An OpenID Connect token; absent where this kind of credentials has none. */
  idToken?(audience: string, signal: AbortSignal): Promise<IssuedToken>;
}

/** Credentials that are read at each use, so that new content counts at once. */
export interface CredentialFile {
  /** For people. */
  name: string;
  /** Throws `SecretError`. */
  read(): Promise<Secret>;
}
