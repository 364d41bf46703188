/**
 * A service account impersonated by another identity, without its own key.
 * Source: IAM Service Account Credentials API, generateAccessToken and generateIdToken.
 */
import { type AuthClient, Impersonated, OAuth2Client } from 'google-auth-library';
import { accessTokenOf, transporter } from './google-auth.ts';
import { lifeOfJwt } from './jwt.ts';
import { withoutSecrets } from './library-error.ts';
import type { TokenSource } from './source.ts';

/** Scopes of the IAM caller; the token itself gets the requested scopes. */
const callerScopes = ['https://www.googleapis.com/auth/cloud-platform'];

/** Seconds: the maximum without a separate policy. */
const lifetime = 3600;

interface Impersonation {
  email: string;
  delegates: readonly string[];
  /** URL of an IAM credentials service other than Google's. */
  endpoint?: string;
}

export function impersonation(
  from: TokenSource,
  target: Impersonation,
  now: () => number,
): TokenSource {
  /** We fetch the caller's token, of any kind, and pass it to the library. */
  function caller(signal: AbortSignal): AuthClient {
    const client = new OAuth2Client({ transporter: transporter(signal) });
    client.refreshHandler = async () => {
      const { token, lifeSeconds } = await from.accessToken(callerScopes, signal);
      return { access_token: token, expiry_date: now() + lifeSeconds * 1000 };
    };
    return client;
  }

  function impersonated(scopes: readonly string[], signal: AbortSignal): Impersonated {
    return new Impersonated({
      sourceClient: caller(signal),
      targetPrincipal: target.email,
      targetScopes: [...scopes],
      delegates: [...target.delegates],
      lifetime,
      ...(target.endpoint !== undefined && { endpoint: target.endpoint.replace(/\/$/, '') }),
    });
  }

  return {
    files: from.files,
    email: async () => target.email,
    async accessToken(scopes, signal) {
      return accessTokenOf(impersonated(scopes, signal), { expiresBy: 'upstream-clock', now });
    },
    async idToken(audience, signal) {
      try {
        const token = await impersonated([], signal).fetchIdToken(audience, { includeEmail: true });
        return { token, lifeSeconds: lifeOfJwt(token) };
      } catch (error) {
        throw withoutSecrets(error, 'upstream');
      }
    },
  };
}
