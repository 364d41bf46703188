/**
 * A service account by way of another identity that may impersonate it: no key of its own exists.
 * Source: IAM Service Account Credentials API, generateAccessToken and generateIdToken.
 */
import { type AuthClient, Impersonated, OAuth2Client } from 'google-auth-library';
import { accessTokenOf, transporter } from './google-auth.ts';
import { lifeOfJwt } from './jwt.ts';
import { withoutSecrets } from './library-error.ts';
import type { TokenSource } from './source.ts';

/** What the caller of IAM needs; the scopes of the token itself are those asked for. */
const callerScopes = ['https://www.googleapis.com/auth/cloud-platform'];

/** Seconds: the most that needs no policy of its own. */
const lifetime = 3600;

interface Impersonation {
  email: string;
  delegates: readonly string[];
  /** Another address of the IAM credentials service than Google's. */
  endpoint?: string;
}

export function impersonation(
  from: TokenSource,
  target: Impersonation,
  now: () => number,
): TokenSource {
  /** The caller's token is fetched by us, whatever kind it is, and handed to the library. */
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
      const options = { expiresBy: 'upstream-clock', now, wholeLife: lifetime } as const;
      return accessTokenOf(impersonated(scopes, signal), options);
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
