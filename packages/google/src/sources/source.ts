/** The interface of all kinds of credentials, each in its own file in this directory. */
import type { Secret } from '@skolo/base/secrets';

export interface IssuedToken {
  token: string;
  /** Lifetime in seconds, starting when it was requested. */
  lifeSeconds: number;
}

export interface TokenSource {
  /** Files that contain the credentials; when one changes, a failed attempt is repeated immediately. */
  files: readonly string[];
  /** The account's e-mail address, if the credentials contain it. Throws if they cannot be read. */
  email(): Promise<string | undefined>;
  /** Reads the credentials again and requests a token upstream. Throws `SignInError` or `SecretError`. */
  accessToken(scopes: readonly string[], signal: AbortSignal): Promise<IssuedToken>;
  /** An OpenID Connect token; absent if this kind of credentials does not support it. */
  idToken?(audience: string, signal: AbortSignal): Promise<IssuedToken>;
}

/** Credentials that are read at each use, so that new content is used immediately. */
export interface CredentialFile {
  /** For people. */
  name: string;
  /** Throws `SecretError`. */
  read(): Promise<Secret>;
}
