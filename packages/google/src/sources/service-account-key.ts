/**
 * A service account's key file (`type: service_account`): signs a JWT and exchanges it for a token.
 *
 * Signed and posted here because google-auth-library ignores `token_uri` of the key file.
 * Source: RFC 7523 section 2.1; Google, "Using OAuth 2.0 for Server to Server Applications".
 */
import { createPrivateKey, sign } from 'node:crypto';
import { z } from 'zod';
import { parseCredentialFile, ServiceAccountKey } from '../credential-file.ts';
import { postForm } from '../request.ts';
import { TokenAnswer } from '../token-life.ts';
import { lifeOfJwt } from './jwt.ts';
import type { CredentialFile, TokenSource } from './source.ts';

const IdAnswer = z.looseObject({ id_token: z.string().min(1) });

/** Google accepts an assertion of at most an hour. */
const assertionLife = 3600;

export function serviceAccountKey(file: CredentialFile, now: () => number): TokenSource {
  async function readKey(): Promise<ServiceAccountKey> {
    const secret = await file.read();
    return parseCredentialFile(ServiceAccountKey, 'serviceAccountKey', secret, file.name);
  }

  async function exchange<T>(
    claims: object,
    answer: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const key = await readKey();
    const url = key.token_uri;
    const iat = Math.floor(now() / 1000);
    const times = { iat, exp: iat + assertionLife };
    const assertion = signJwt(key, {
      iss: key.client_email,
      aud: url,
      ...times,
      ...claims,
    });
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
    return postForm(url, form, answer, signal);
  }

  return {
    files: [file.name],
    email: async () => (await readKey()).client_email,
    async accessToken(scopes, signal) {
      const answer = await exchange({ scope: scopes.join(' ') }, TokenAnswer, signal);
      return { token: answer.access_token, lifeSeconds: answer.expires_in };
    },
    async idToken(audience, signal) {
      const { id_token: token } = await exchange({ target_audience: audience }, IdAnswer, signal);
      return { token, lifeSeconds: lifeOfJwt(token) };
    },
  };
}

function signJwt(key: ServiceAccountKey, claims: object): string {
  const kid = key.private_key_id;
  const header = { alg: 'RS256', typ: 'JWT', ...(kid && { kid }) };
  const content = `${base64url(header)}.${base64url(claims)}`;
  const signature = sign('RSA-SHA256', Buffer.from(content), createPrivateKey(key.private_key));
  return `${content}.${signature.toString('base64url')}`;
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
