/**
 * A user's refresh token (`type: authorized_user`, as `gcloud auth application-default login` writes
 * it): for development racks. Source: RFC 6749 section 6. It has no ID tokens: those of a person are for
 * the client that asked for consent, never for another audience.
 */
import { UserRefreshClient } from 'google-auth-library';
import { AuthorizedUser, parseCredentialFile } from '../credential-file.ts';
import { accessTokenOf, transporter } from './google-auth.ts';
import type { CredentialFile, TokenSource } from './source.ts';

/** `tokenUrl`: a token endpoint other than Google's. */
export function refreshToken(
  file: CredentialFile,
  tokenUrl: string | undefined,
  now: () => number,
): TokenSource {
  return {
    files: [file.name],
    email: async () => undefined,
    async accessToken(_scopes, signal) {
      const secret = await file.read();
      const user = parseCredentialFile(AuthorizedUser, 'refreshToken', secret, file.name);
      const client = new UserRefreshClient({
        clientId: user.client_id,
        clientSecret: user.client_secret,
        refreshToken: user.refresh_token,
        ...(tokenUrl !== undefined && { endpoints: { oauth2TokenUrl: tokenUrl } }),
        transporter: transporter(signal),
      });
      // The scopes were granted with the refresh token; a narrower request is not part of this flow.
      return accessTokenOf(client, { expiresBy: 'own-clock', now });
    },
  };
}
