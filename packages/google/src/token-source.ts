/** Chooses the source of an identity's tokens, by the kind of its credentials. */
import { type AccountCredentials, readSecret } from '@skolo/base/secrets';
import { fixedToken } from './sources/fixed.ts';
import { serviceAccountKey } from './sources/service-account-key.ts';
import type { TokenSource } from './sources/source.ts';

interface SourceDeps {
  /** The directory that relative paths refer to. */
  dir: string;
  /** Wall clock, in milliseconds. */
  now: () => number;
}

/** The source of an identity's tokens. Nothing is read before the first token is requested. */
export async function tokenSource(
  credentials: AccountCredentials,
  deps: SourceDeps,
): Promise<TokenSource> {
  const { now } = deps;
  if (credentials.kind === 'impersonate') {
    const { impersonation } = await import('./sources/impersonation.ts');
    return impersonation(await tokenSource(credentials.from, deps), credentials, now);
  }
  const { file: name } = credentials;
  const file = { name, read: () => readSecret(deps, name) };
  switch (credentials.kind) {
    case 'serviceAccountKey':
      return serviceAccountKey(file, now);
    case 'fixed':
      return fixedToken(name, deps);
    case 'refreshToken': {
      const { refreshToken } = await import('./sources/refresh-token.ts');
      return refreshToken(file, credentials.tokenUrl, now);
    }
    case 'externalAccount': {
      const { externalAccount } = await import('./sources/external-account.ts');
      return externalAccount(file, now);
    }
  }
}
