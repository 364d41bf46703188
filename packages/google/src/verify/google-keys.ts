/** Fetches Google's keys for ID tokens, and reads how long they may be cached. */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import { request } from '../request.ts';
import { rejectedBy, requireSafeUrl } from '../sign-in-error.ts';

/** Where Google's keys for ID tokens are. https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken */
export const googleCertsUrl = 'https://www.googleapis.com/oauth2/v3/certs';

const withinMs = 5_000;

const JsonWebKeys = z
  .object({
    keys: z.array(
      z.looseObject({ kid: z.string(), kty: z.literal('RSA'), n: z.string(), e: z.string() }),
    ),
  })
  .transform(({ keys }) => Object.fromEntries(keys.map((key) => [key.kid, pemOf(key)])));
/** The older form, `/oauth2/v1/certs`: key id to PEM certificate. */
const Certificates = z.record(z.string(), z.string().startsWith('-----BEGIN'));
const Keys = z.union([JsonWebKeys, Certificates]);

/** PEM public keys by key ID, and how long they may be cached. Throws if they cannot be fetched. */
export async function fetchGoogleKeys(
  url: string,
): Promise<{ pems: Record<string, string>; maxAgeMs: number }> {
  // Anybody who can change the keys in transit can sign in as anybody.
  requireSafeUrl(url, url);
  const headers = { accept: 'application/json' };
  const answer = await request(url, url, { headers, signal: AbortSignal.timeout(withinMs) });
  if (!answer.ok) throw rejectedBy(url, answer.status, undefined);
  const maxAge = /max-age=(\d+)/.exec(answer.headers.get('cache-control') ?? '')?.[1] ?? '0';
  return { pems: Keys.parse(parseJson(answer.text)), maxAgeMs: Number(maxAge) * 1000 };
}

function pemOf(key: JsonWebKey): string {
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
}
