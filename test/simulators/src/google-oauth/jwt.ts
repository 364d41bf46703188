/** JSON Web Tokens signed with RS256 (RFC 7515, RFC 7519), no more of them than Google's token side uses. */
import { type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';

const Header = z.object({ alg: z.string(), kid: z.string().optional() });
const Claims = z.record(z.string(), z.unknown());

export interface ParsedJwt {
  header: z.infer<typeof Header>;
  claims: z.infer<typeof Claims>;
  /** The bytes that the signature covers. */
  signedPart: string;
  signature: Buffer;
}

/** Signs `claims` with an RSA private key; `kid` tells the verifier which public key to take. */
export function signJwt(claims: object, key: { kid: string; privateKey: KeyObject }): string {
  const signedPart = `${encode({ alg: 'RS256', kid: key.kid, typ: 'JWT' })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(signedPart), key.privateKey);
  return `${signedPart}.${signature.toString('base64url')}`;
}

/** Takes a JWT apart without believing it; undefined when it is not one. */
export function parseJwt(text: string): ParsedJwt | undefined {
  const [header, claims, signature, ...rest] = text.split('.');
  if (!header || !claims || !signature || rest.length > 0) return undefined;
  try {
    return {
      header: Header.parse(decode(header)),
      claims: Claims.parse(decode(claims)),
      signedPart: `${header}.${claims}`,
      signature: Buffer.from(signature, 'base64url'),
    };
  } catch {
    return undefined;
  }
}

/** Whether the holder of `publicKey`'s other half signed it, with RS256 and nothing else. */
export function isSignedBy(jwt: ParsedJwt, publicKey: KeyObject): boolean {
  return (
    jwt.header.alg === 'RS256' &&
    verify('sha256', Buffer.from(jwt.signedPart), publicKey, jwt.signature)
  );
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}
