/** When a value expires, where it says so itself. */
import { X509Certificate } from 'node:crypto';
import type { SecretKind } from '@skolo/rack/secrets';
import type { Secret } from '@skolo/secrets';
import { parse } from 'yaml';
import { z } from 'zod';

const Tokens = z.object({ tokens: z.array(z.object({ expires: z.coerce.date() })) });
const Claims = z.object({ exp: z.number() });

/** Of a file of tokens, that of the token that expires first. */
export function expiryOf(kind: SecretKind, value: Secret): Date | undefined {
  const text = value.reveal();
  try {
    switch (kind) {
      case 'certificate':
        return new Date(new X509Certificate(text).validTo);
      case 'token-file': {
        const all = Tokens.parse(parse(text)).tokens.map(({ expires }) => expires);
        return all.sort((a, b) => a.getTime() - b.getTime())[0];
      }
      case 'token':
        return new Date(claimsOf(text).exp * 1000);
      default:
        return undefined;
    }
  } catch {
    // It is something else, which `skolo secrets check` finds out.
    return undefined;
  }
}

/** Of a JSON Web Token. */
function claimsOf(text: string): z.output<typeof Claims> {
  const [, claims = ''] = text.trim().split('.');
  return Claims.parse(JSON.parse(Buffer.from(claims, 'base64url').toString()));
}
