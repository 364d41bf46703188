import type { Credentials } from '@skolo/rack';
import { fixedToken } from './fixed.ts';
import { serviceAccountKey } from './service-account-key.ts';
import type { SourceDeps, TokenSource } from './source.ts';

export { type IssuedToken, type SourceDeps, type TokenSource, UpstreamError } from './source.ts';

/**
 * Where an identity's tokens come from. Nothing is read before the first token is asked for.
 *
 * The kinds that google-auth-library speaks for are loaded when a rack has one: it takes 13 MB.
 */
export async function tokenSource(
  credentials: Credentials,
  deps: SourceDeps,
): Promise<TokenSource> {
  switch (credentials.kind) {
    case 'serviceAccountKey':
      return serviceAccountKey(credentials.file, deps);
    case 'fixed':
      return fixedToken(credentials.file, deps);
    case 'refreshToken': {
      const { refreshToken } = await import('./refresh-token.ts');
      return refreshToken(credentials.file, credentials.tokenUrl, deps);
    }
    case 'externalAccount': {
      const { externalAccount } = await import('./external-account.ts');
      return externalAccount(credentials.file, deps);
    }
    case 'impersonate': {
      const { impersonation } = await import('./impersonation.ts');
      return impersonation(await tokenSource(credentials.from, deps), credentials, deps);
    }
  }
}
