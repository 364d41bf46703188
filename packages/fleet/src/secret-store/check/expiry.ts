/** Finds when a secret's value expires, if it contains that itself (certificates, tokens). */
import { X509Certificate } from 'node:crypto';
import { parseJson } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import type { SecretKind } from '@skolo/rack/secrets';
import { parse } from 'yaml';
import { z } from 'zod';

const Tokens = z.object({
  tokens: z.array(z.object({ sha256: z.string(), expires: z.coerce.date() })),
});
const FixedToken = z.object({ expiry: z.iso.datetime({ offset: true }).pipe(z.coerce.date()) });
const Claims = z.object({ exp: z.number() });

/** For a token file, the expiry of the token that expires first. Undefined: never or unknown. */
export function expiryOf(kind: SecretKind, value: Secret): Date | undefined {
  const text = value.reveal();
  switch (kind) {
    case 'certificate':
      return certificateEnd(text);
    case 'token-file': {
      const all = (readTokens(text) ?? []).map(({ expires }) => expires);
      return all.sort((a, b) => a.getTime() - b.getTime())[0];
    }
    case 'fixed-token':
      return FixedToken.safeParse(parseJson(text)).data?.expiry ?? webTokenEnd(text);
    case 'token':
      return webTokenEnd(text);
    default:
      return undefined;
  }
}

/** Undefined: it is not a token file. */
export function readTokens(text: string) {
  try {
    return Tokens.parse(parse(text) ?? { tokens: [] }).tokens;
  } catch {
    // Its message would quote the text.
    return undefined;
  }
}

function certificateEnd(text: string): Date | undefined {
  try {
    return new Date(new X509Certificate(text).validTo);
  } catch {
    return undefined;
  }
}

/** Of a JSON Web Token. */
function webTokenEnd(text: string): Date | undefined {
  const [, claims = ''] = text.trim().split('.');
  const { data } = Claims.safeParse(parseJson(Buffer.from(claims, 'base64url').toString()));
  return data && new Date(data.exp * 1000);
}
