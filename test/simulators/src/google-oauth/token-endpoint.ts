/**
 * `POST https://oauth2.googleapis.com/token`.
 *
 * Sources: RFC 7523 (JWT bearer grant), RFC 6749 sections 5 and 6 (answers, refresh), Google's
 * https://developers.google.com/identity/protocols/oauth2/service-account (claims, limits, error codes).
 * The error texts are those that people quote in public issues, e.g. google/oauth2l#130.
 */

import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Answer } from '../cloud/web-server.ts';
import type { ServiceAccount } from './accounts.ts';
import type { Google } from './google.ts';
import { isSignedBy, type ParsedJwt, parseJwt } from './jwt.ts';
import { oauthError } from './rejection.ts';
import { checkScopes, splitScopes } from './scopes.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const longestLifeSeconds = 3600;
const clockSkewSeconds = 300;

const Assertion = z.object({
  iss: z.string(),
  aud: z.string(),
  iat: z.number(),
  exp: z.number(),
  sub: z.string().optional(),
  scope: z.string().optional(),
  target_audience: z.string().optional(),
});

/** Answers one request with the form's fields; throws a Rejection. */
export function tokenEndpoint(google: Google, form: URLSearchParams): Answer {
  const grant = required(form, 'grant_type');
  if (grant === jwtBearer) return jwtBearerGrant(google, form);
  if (grant === 'refresh_token') return refreshGrant(google, form);
  throw oauthError('unsupported_grant_type', `Invalid grant_type: ${grant}`);
}

function jwtBearerGrant(google: Google, form: URLSearchParams): Answer {
  const jwt = parseJwt(required(form, 'assertion'));
  const claims = Assertion.safeParse(jwt?.claims).data;
  if (!jwt || !claims) throw oauthError('invalid_grant', 'Bad Request');
  const account = google.accounts.serviceAccounts.get(claims.iss);
  if (!account) throw oauthError('invalid_grant', 'Invalid grant: account not found');
  if (account.disabled) throw oauthError('disabled_client', 'The OAuth client was disabled.', 401);
  checkSignature(jwt, account);
  checkClaims(google, claims);

  if (claims.target_audience) {
    const idToken = google.issueIdToken({
      email: account.email,
      audience: claims.target_audience,
      azp: account.email,
      withEmail: true,
    });
    return { status: 200, body: { id_token: idToken } };
  }
  const scopes = splitScopes(claims.scope);
  if (scopes.length === 0) {
    throw oauthError('invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
  }
  checkScopes(scopes);
  const { token, lifeSeconds } = google.issueAccessToken({
    account: account.email,
    scopes,
    kind: 'service-account',
  });
  return {
    status: 200,
    body: { access_token: token, expires_in: lifeSeconds, token_type: 'Bearer' },
  };
}

function checkSignature(jwt: ParsedJwt, account: ServiceAccount): void {
  const { kid } = jwt.header;
  const candidates = kid === undefined ? [...account.keys.values()] : [account.keys.get(kid)];
  if (!candidates.some((key) => key !== undefined && isSignedBy(jwt, key))) {
    throw oauthError('invalid_grant', 'Invalid JWT Signature.');
  }
}

function checkClaims(google: Google, claims: z.infer<typeof Assertion>): void {
  const now = google.now() / 1000;
  if (claims.aud !== google.tokenUrl) {
    throw oauthError('invalid_grant', 'Invalid JWT: Failed audience check.');
  }
  const isShort = claims.exp > claims.iat && claims.exp - claims.iat <= longestLifeSeconds;
  const isCurrent = claims.iat <= now + clockSkewSeconds && claims.exp > now - clockSkewSeconds;
  if (!isShort || !isCurrent) {
    throw oauthError(
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. ' +
        'Check your iat and exp values in the JWT claim.',
    );
  }
  if (claims.sub !== undefined && claims.sub !== claims.iss) {
    // Acting for a person needs domain-wide delegation, which nobody here has.
    throw oauthError(
      'unauthorized_client',
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
      401,
    );
  }
}

function refreshGrant(google: Google, form: URLSearchParams): Answer {
  const { accounts } = google;
  const clientId = form.get('client_id');
  if (!clientId) throw oauthError('invalid_request', 'Could not determine client ID from request.');
  const ofClient = accounts.refreshGrants.filter((known) => known.clientId === clientId);
  const [client] = ofClient;
  if (!client) throw oauthError('invalid_client', 'The OAuth client was not found.', 401);
  if (!isSame(form.get('client_secret') ?? '', client.clientSecret)) {
    throw oauthError('invalid_client', 'The provided client secret is invalid.', 401);
  }
  const refreshToken = required(form, 'refresh_token');
  const grant = ofClient.find((known) => known.refreshToken === refreshToken);
  if (!grant) throw oauthError('invalid_grant', 'Bad Request');
  const wanted = splitScopes(form.get('scope'));
  if (!wanted.every((scope) => grant.scopes.includes(scope))) {
    throw oauthError('invalid_scope', 'Some requested scopes were not granted.');
  }
  const scopes = wanted.length > 0 ? wanted : grant.scopes;
  const { token, lifeSeconds } = google.issueAccessToken({
    account: grant.email,
    scopes,
    kind: 'user',
  });
  return {
    status: 200,
    body: {
      access_token: token,
      expires_in: lifeSeconds,
      scope: scopes.join(' '),
      token_type: 'Bearer',
      // For the client itself and nobody else, whatever audience was asked for.
      ...(scopes.includes('openid') && {
        id_token: google.issueIdToken({
          email: grant.email,
          audience: clientId,
          azp: clientId,
          withEmail: true,
        }),
      }),
    },
  };
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (!value) throw oauthError('invalid_request', `Missing required parameter: ${name}`);
  return value;
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
