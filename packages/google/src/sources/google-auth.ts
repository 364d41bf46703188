/**
 * Common parts of the kinds that use google-auth-library: one upstream attempt at a time
 * without its own retries (ours are in one place), a deadline, and errors without secrets.
 */
import { type AuthClient, gaxios } from 'google-auth-library';
import { tokenFetch } from '../request.ts';
import { requireSafeUrl, SignInError } from '../sign-in-error.ts';
import { tokenLife } from '../token-life.ts';
import { withoutSecrets } from './library-error.ts';
import type { IssuedToken } from './source.ts';

/** Created for one renewal, so that nothing is cached twice. */
export function transporter(signal: AbortSignal): gaxios.Gaxios {
  const instance = new gaxios.Gaxios();
  instance.interceptors.request.add({
    async resolved(config) {
      requireSafeUrl(config.url.href, 'the address of the token service');
      return {
        ...config,
        fetchImplementation: tokenFetch,
        signal,
        retry: false,
        retryConfig: { retry: 0, noResponseRetries: 0 },
      };
    },
  });
  return instance;
}

/**
 * The access token of a client made for this call.
 * If the response contains a point in time (IAM's `expireTime`), it is compared with the response's own
 * `Date`, so that a wrong wall clock here does not matter.
 */
export async function accessTokenOf(
  client: AuthClient,
  { expiresBy, now }: { expiresBy: 'upstream-clock' | 'own-clock'; now: () => number },
): Promise<IssuedToken> {
  try {
    const { token, res } = await client.getAccessToken();
    const expiry = client.credentials.expiry_date;
    if (!token || typeof token !== 'string' || typeof expiry !== 'number') {
      throw new SignInError(
        'unexpected-answer',
        'the token endpoint did not return a token and its expiry',
      );
    }
    const date = Date.parse(res?.headers.get('date') ?? '');
    const clock = expiresBy === 'own-clock' || Number.isNaN(date) ? now() : date;
    return { token, lifeSeconds: tokenLife((expiry - clock) / 1000, 'the token endpoint') };
  } catch (error) {
    throw withoutSecrets(error, 'upstream');
  }
}
