import type { Credentials } from '@skolo/rack';
import { externalAccount } from './external-account.ts';
import { fixedToken } from './fixed.ts';
import { impersonation } from './impersonation.ts';
import { refreshToken } from './refresh-token.ts';
import { serviceAccountKey } from './service-account-key.ts';
import type { SourceDeps, TokenSource } from './source.ts';

export { type IssuedToken, type SourceDeps, type TokenSource, UpstreamError } from './source.ts';

/** Where an identity's tokens come from. Nothing is read before the first token is asked for. */
export function tokenSource(credentials: Credentials, deps: SourceDeps): TokenSource {
  switch (credentials.kind) {
    case 'serviceAccountKey':
      return serviceAccountKey(credentials.file, deps);
    case 'refreshToken':
      return refreshToken(credentials.file, credentials.tokenUrl, deps);
    case 'externalAccount':
      return externalAccount(credentials.file, deps);
    case 'fixed':
      return fixedToken(credentials.file, deps);
    case 'impersonate':
      return impersonation(tokenSource(credentials.from, deps), credentials, deps);
  }
}
