/**
 * Decides whether a Google ID token is valid, and whose it is.
 * https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
 *
 * The signature, issuer, audience and times are verified by google-auth-library. It says what is wrong only in
 * messages that quote the token, and allows the clock to be wrong by five minutes: so the claims are read here, too.
 */
import { parseJson } from '@skolo/base';
import { z } from 'zod';

/**
 * The one algorithm that Google signs ID tokens with. Anything else, `none` and HMAC with the public key above all, is not a signature of
 * Google's.
 */
const Header = z.object({ alg: z.literal('RS256'), kid: z.string() });

const Claims = z.object({
  iss: z.string(),
  aud: z.string(),
  email: z.string(),
  email_verified: z.boolean().optional(),
  iat: z.number(),
  exp: z.number(),
});

const issuers = ['accounts.google.com', 'https://accounts.google.com'];
const clockSkewSeconds = 60;

type IdTokenVerdict = { email: string } | { wrong: IdTokenFault };

type IdTokenFault =
  | 'malformed'
  | 'unknown key'
  | 'wrong issuer'
  | 'wrong audience'
  | 'e-mail not verified'
  | 'expired'
  | 'not valid yet'
  | 'bad signature';

interface VerifyIdTokenOptions {
  audience: string;
  /** Milliseconds since 1970. */
  now: number;
  /** The PEM key with that ID; undefined if it does not exist. */
  findKey(keyId: string): Promise<string | undefined>;
}

/** The verified e-mail address of a valid token, or its error. Throws what `findKey` throws. */
export async function verifyIdToken(
  token: string,
  options: VerifyIdTokenOptions,
): Promise<IdTokenVerdict> {
  const [header, claims] = decode(token);
  if (header === undefined || claims === undefined) return { wrong: 'malformed' };
  const key = await options.findKey(header.kid);
  if (key === undefined) return { wrong: 'unknown key' };
  const wrong = faultOf(claims, options);
  if (wrong !== undefined) return { wrong };
  // 13 MB of memory, only for the racks that use it.
  const { OAuth2Client } = await import('google-auth-library');
  try {
    await new OAuth2Client().verifySignedJwtWithCertsAsync(
      token,
      { [header.kid]: key },
      options.audience,
      issuers,
    );
  } catch {
    // Everything else that it checks has been checked above, more strictly.
    return { wrong: 'bad signature' };
  }
  return { email: claims.email };
}

function faultOf(
  claims: z.output<typeof Claims>,
  { audience, now }: VerifyIdTokenOptions,
): IdTokenFault | undefined {
  const seconds = now / 1000;
  if (!issuers.includes(claims.iss)) return 'wrong issuer';
  if (claims.aud !== audience) return 'wrong audience';
  if (claims.email_verified !== true) return 'e-mail not verified';
  if (seconds > claims.exp + clockSkewSeconds) return 'expired';
  if (seconds < claims.iat - clockSkewSeconds) return 'not valid yet';
  return undefined;
}

function decode(token: string) {
  const [header, claims] = token
    .split('.', 2)
    .map((part) => parseJson(Buffer.from(part, 'base64url').toString()));
  return [Header.safeParse(header).data, Claims.safeParse(claims).data] as const;
}
