/**
 * A person's refresh token (`type: authorized_user`, as `gcloud auth application-default login` writes
 * it): for development racks. Source: RFC 6749 section 6. It has no ID tokens: those of a person are for
 * the client that asked for consent, never for another audience.
 */
import { readSecret } from '@skolo/rack';
import { UserRefreshClient } from 'google-auth-library';
import { z } from 'zod';
import { parseCredentialFile } from './credential-file.ts';
import { accessTokenOf, transporter } from './google-auth.ts';
import type { SourceDeps, TokenSource } from './source.ts';

const AuthorizedUser = z.looseObject({
  type: z.literal('authorized_user'),
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
  refresh_token: z.string().min(1),
});

/** `tokenUrl`: another token endpoint than Google's. */
export function refreshToken(
  file: string,
  tokenUrl: string | undefined,
  deps: SourceDeps,
): TokenSource {
  async function client(signal: AbortSignal): Promise<UserRefreshClient> {
    const secret = await readSecret(deps, file);
    const user = parseCredentialFile(AuthorizedUser, secret, file, 'an authorized_user file');
    return new UserRefreshClient({
      clientId: user.client_id,
      clientSecret: user.client_secret,
      refreshToken: user.refresh_token,
      ...(tokenUrl !== undefined && { endpoints: { oauth2TokenUrl: tokenUrl } }),
      transporter: transporter(signal),
    });
  }

  return {
    files: [file],
    email: async () => undefined,
    async accessToken(_scopes, signal) {
      // The scopes were granted with the refresh token; a narrower request is not part of this flow.
      return accessTokenOf(await client(signal), {
        expiresBy: 'own-clock',
        now: deps.now,
        wholeLife: 3600,
      });
    },
  };
}
