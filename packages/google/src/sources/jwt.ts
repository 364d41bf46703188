import { z } from 'zod';
import { SignInError } from '../sign-in-error.ts';
import { tokenLife } from '../token-life.ts';

const Times = z.looseObject({ iat: z.number(), exp: z.number() });

/**
 * When a JWT was issued and when it expires (RFC 7519), in seconds since 1970 by upstream's clock. The
 * audience must verify the signature.
 */
export function timesOfJwt(jwt: string): { iat: number; exp: number } {
  try {
    const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8');
    const { iat, exp } = Times.parse(JSON.parse(payload));
    if (exp > iat) return { iat, exp };
  } catch {
    // Reported below, without quoting any of it.
  }
  throw new SignInError(
    'unexpected-answer',
    'not an ID token, because it is not a JWT with iat and exp',
  );
}

/**
 * Lifetime of a new JWT in seconds, from upstream's two times, so that a wrong local clock does not matter.
 *
 * @throws SignInError
 */
export function lifeOfJwt(jwt: string): number {
  const { iat, exp } = timesOfJwt(jwt);
  return tokenLife(exp - iat, 'the ID token');
}
