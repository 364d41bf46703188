/**
 * A service account's key file (`type: service_account`): signs a JWT and exchanges it for a token.
 *
 * Signed and posted here because google-auth-library ignores `token_uri` of the key file.
 * Source: RFC 7523 section 2.1; Google, "Using OAuth 2.0 for Server to Server Applications".
 */
import { createPrivateKey, createSign } from 'node:crypto';
import { readSecret } from '@skolo/rack';
import { z } from 'zod';
import { parseCredentialFile } from './credential-file.ts';
import { lifeOfJwt } from './jwt.ts';
import { requireSafeUrl, type SourceDeps, type TokenSource, UpstreamError } from './source.ts';
import { postForm } from './token-endpoint.ts';

const KeyFile = z.looseObject({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.string().default('https://oauth2.googleapis.com/token'),
});
type KeyFile = z.infer<typeof KeyFile>;

const AccessAnswer = z.looseObject({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
});
const IdAnswer = z.looseObject({ id_token: z.string().min(1) });

/** Google accepts an assertion of at most an hour. */
const assertionLife = 3600;

export function serviceAccountKey(file: string, { dir, now }: SourceDeps): TokenSource {
  async function readKey(): Promise<KeyFile> {
    const secret = await readSecret({ dir }, file);
    return parseCredentialFile(KeyFile, secret, file, "a service account's key file");
  }

  async function exchange<T>(
    claims: object,
    answer: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const key = await readKey();
    const url = requireSafeUrl(key.token_uri, `token_uri of ${file}`);
    const issuedAt = Math.floor(now() / 1000);
    const assertion = signJwt(key, file, {
      iss: key.client_email,
      aud: url,
      iat: issuedAt,
      exp: issuedAt + assertionLife,
      ...claims,
    });
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
    return postForm(url, form, answer, signal);
  }

  return {
    files: [file],
    email: async () => (await readKey()).client_email,
    async accessToken(scopes, signal) {
      const answer = await exchange({ scope: scopes.join(' ') }, AccessAnswer, signal);
      return { token: answer.access_token, lifeSeconds: answer.expires_in };
    },
    async idToken(audience, signal) {
      const { id_token: token } = await exchange({ target_audience: audience }, IdAnswer, signal);
      return { token, lifeSeconds: lifeOfJwt(token) };
    },
  };
}

function signJwt(key: KeyFile, file: string, claims: object): string {
  const header = {
    alg: 'RS256',
    typ: 'JWT',
    ...(key.private_key_id && { kid: key.private_key_id }),
  };
  const content = `${base64url(header)}.${base64url(claims)}`;
  try {
    const signature = createSign('RSA-SHA256')
      .update(content)
      .sign(createPrivateKey(key.private_key));
    return `${content}.${signature.toString('base64url')}`;
  } catch {
    // The cause could quote the key.
    throw new UpstreamError('refused', `${file}: private_key is not an RSA key in PEM form`);
  }
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
