/**
 * Access tokens for Google's storage: by the key of a service account, from the rack's metadata server, or from
 * whatever the person at the desk is signed in with.
 *
 * The key is signed with and posted here because google-auth-library ignores the `token_uri` of a key file.
 * Sources: RFC 7523; https://developers.google.com/identity/protocols/oauth2/service-account,
 * https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
import { createPrivateKey, createSign, type KeyObject } from 'node:crypto';
import { isSafeForSecrets, type Secret } from '@skolo/rack';
import { z } from 'zod';
import { BackupError } from '../errors.ts';

/** Gives a token that is good now. @throws BackupError `unreachable`, `refused` */
export type GetToken = () => Promise<string>;

const scope = 'https://www.googleapis.com/auth/devstorage.read_write';
const answerWithinMs = 30_000;
/** Tokens are renewed before they expire. */
const aheadSeconds = 300;
const longestAssertion = 3600;

const TokenAnswer = z.looseObject({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
});
type TokenAnswer = z.output<typeof TokenAnswer>;

const KeyFile = z.looseObject({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.string().default('https://oauth2.googleapis.com/token'),
});

/**
 * @param key the key file of a service account
 * @throws BackupError `refused`: it is none
 */
export function serviceAccountToken(key: Secret): GetToken {
  const { email, privateKey, keyId, url } = parseKey(key);
  return keptWhileGood(async () => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: email, aud: url, scope, iat: now, exp: now + longestAssertion };
    const header = { alg: 'RS256', typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) };
    const text = `${base64url(header)}.${base64url(claims)}`;
    const signature = createSign('RSA-SHA256').update(text).sign(privateKey).toString('base64url');
    return await ask(`the token endpoint, for ${email}`, url, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: `${text}.${signature}`,
      }),
    });
  });
}

/** @param url of the metadata server, which knows us by our address */
export function metadataServerToken(url: string): GetToken {
  const path = '/computeMetadata/v1/instance/service-accounts/default/token';
  // It keeps tokens itself.
  return async () => {
    const headers = { 'metadata-flavor': 'Google' };
    return (await ask(`the metadata server ${url}`, new URL(path, url).href, { headers }))
      .access_token;
  };
}

/** Application default credentials. */
export function defaultToken(): GetToken {
  return async () => {
    const { GoogleAuth } = await import('google-auth-library');
    try {
      const token = await new GoogleAuth({ scopes: [scope] }).getAccessToken();
      if (token) return token;
    } catch (error) {
      throw new BackupError('refused', `${notSignedIn} (${firstLine(error)})`);
    }
    throw new BackupError('refused', notSignedIn);
  };
}

const notSignedIn =
  'there are no Google credentials: run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file';

function parseKey(key: Secret) {
  let json: unknown;
  try {
    json = JSON.parse(key.reveal());
  } catch {
    // The error would quote it.
  }
  const parsed = KeyFile.safeParse(json);
  if (!parsed.success) {
    throw new BackupError('refused', 'the key for the upload is no key file of a service account');
  }
  const { client_email: email, private_key_id: keyId, token_uri: url } = parsed.data;
  if (!URL.canParse(url) || !isSafeForSecrets(new URL(url))) {
    throw new BackupError('refused', `the key of ${email}: its token_uri is not an https:// URL`);
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(parsed.data.private_key);
  } catch {
    throw new BackupError('refused', `the key of ${email}: private_key is not a key in PEM form`);
  }
  return { email, privateKey, keyId, url };
}

async function ask(who: string, url: string, request: RequestInit): Promise<TokenAnswer> {
  let status: number;
  let body: unknown;
  try {
    const signal = AbortSignal.timeout(answerWithinMs);
    const answer = await fetch(url, { ...request, redirect: 'error', signal });
    status = answer.status;
    body = await answer.json().catch(() => undefined);
  } catch (error) {
    throw new BackupError('unreachable', `${who} does not answer: ${causeOf(error)}`);
  }
  const parsed = TokenAnswer.safeParse(body);
  if (status === 200 && parsed.success) return parsed.data;
  const said = z.looseObject({ error: z.string() }).safeParse(body).data?.error ?? '';
  const why = `${status}${said === '' ? '' : ` (${said})`}`;
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    throw new BackupError('refused', `${who} gives no token: ${why}`);
  }
  throw new BackupError('unreachable', `${who} gives no token: ${why}`);
}

/** One request at a time, and none while the last token is good; by a clock that does not jump. */
function keptWhileGood(renew: () => Promise<TokenAnswer>): GetToken {
  let token = '';
  let goodUntil = 0;
  let renewing: Promise<string> | undefined;
  async function renewed(): Promise<string> {
    const asked = performance.now();
    const answer = await renew();
    token = answer.access_token;
    goodUntil = asked + (answer.expires_in - aheadSeconds) * 1000;
    return token;
  }
  return async () => {
    if (performance.now() < goodUntil) return token;
    renewing ??= renewed().finally(() => {
      renewing = undefined;
    });
    return await renewing;
  };
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Node hides what happened behind `fetch failed`. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return firstLine(cause);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.split('\n')[0] ?? '';
}
