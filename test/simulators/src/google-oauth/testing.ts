/** What the tests of this folder share. */

import { createPrivateKey } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { signJwt } from './jwt.ts';
import { type GoogleOAuth, type GoogleOAuthOptions, startGoogleOAuth } from './server.ts';
import { makeServiceAccountKey, type ServiceAccountKey } from './service-account-key.ts';

export const email = 'bots@my-project.iam.gserviceaccount.com';
export const scope = 'https://www.googleapis.com/auth/userinfo.email';
export const cloudPlatform = 'https://www.googleapis.com/auth/cloud-platform';
export const clientId = 'client.apps.googleusercontent.com';

/** A simulator that is closed when the test ends. */
export async function start(options?: GoogleOAuthOptions): Promise<GoogleOAuth> {
  const google = await startGoogleOAuth(options);
  onTestFinished(() => google.close());
  return google;
}

/** A simulator with one service account, and that account's key. */
export async function startWithKey(
  options?: GoogleOAuthOptions,
): Promise<{ google: GoogleOAuth; key: ServiceAccountKey }> {
  const google = await start(options);
  const key = makeServiceAccountKey({ email, tokenUri: google.tokenUrl });
  google.addServiceAccountKey(key);
  return { google, key };
}

/** The signed JWT that asks for a token, made by hand as RFC 7523 says; `claims` overrides. */
export function assertion(key: ServiceAccountKey, claims: object = {}): string {
  const now = Math.floor(Date.now() / 1000);
  return signJwt(
    { iss: key.client_email, aud: key.token_uri, iat: now, exp: now + 3600, scope, ...claims },
    { kid: key.private_key_id, privateKey: createPrivateKey(key.private_key) },
  );
}

/** Posts a form and takes the answer as JSON. */
export async function post(
  url: string,
  form: Record<string, string>,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Posts a JWT bearer grant. */
export function postAssertion(url: string, jwt: string) {
  return post(url, {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: jwt,
  });
}
