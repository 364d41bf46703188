import { z } from 'zod';
import { UpstreamError } from './source.ts';

const Times = z.looseObject({ iat: z.number(), exp: z.number() });

/**
 * Seconds between a JWT's `iat` and `exp` (RFC 7519). Upstream's own two times are compared, so that a
 * wrong wall clock here does not matter. The signature is the caller's audience's to check.
 */
export function lifeOfJwt(jwt: string): number {
  try {
    const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8');
    const { iat, exp } = Times.parse(JSON.parse(payload));
    if (exp > iat) return exp - iat;
  } catch {
    // Said below, without quoting any of it.
  }
  throw new UpstreamError(
    'unexpected-answer',
    'upstream answered with an ID token that is not a JWT',
  );
}
