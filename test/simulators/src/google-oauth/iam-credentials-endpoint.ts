/**
 * `POST https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/EMAIL:generateAccessToken` and
 * `:generateIdToken`: one account acts as another.
 *
 * Source: https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts;
 * error bodies as in google-github-actions/auth#340.
 */

import { z } from 'zod';
import type { Answer } from '../cloud/web-server.ts';
import type { ServiceAccount } from './accounts.ts';
import type { Google } from './google.ts';
import { apiError, type Rejection } from './rejection.ts';

const delegates = z.array(z.string().regex(/^projects\/-\/serviceAccounts\/[^/]+$/)).default([]);
const AccessTokenRequest = z.object({
  delegates,
  scope: z.array(z.string().min(1)).min(1),
  lifetime: z
    .string()
    .regex(/^\d+(\.\d+)?s$/)
    .default('3600s'),
});
const IdTokenRequest = z.object({
  delegates,
  audience: z.string().min(1),
  includeEmail: z.boolean().default(false),
});

/** Either scope lets a token call this API. */
const sufficientScopes = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/iam',
];

export interface ImpersonationRequest {
  email: string;
  /** The caller's own token. */
  bearer: string | undefined;
  body: unknown;
}

/** Answers `{ accessToken, expireTime }`; throws a Rejection. */
export function generateAccessToken(
  google: Google,
  { email, bearer, body }: ImpersonationRequest,
): Answer {
  const caller = authenticate(google, bearer);
  const request = AccessTokenRequest.safeParse(body).data;
  if (!request) throw invalidArgument();
  const lifeSeconds = Number.parseFloat(request.lifetime);
  if (lifeSeconds <= 0 || lifeSeconds > 3600) throw invalidArgument();
  const account = target(google, caller, request.delegates, email, 'getAccessToken');
  const { token, expiresAt } = google.issueAccessToken({
    account: account.email,
    scopes: request.scope,
    kind: 'service-account',
    lifeSeconds: Math.min(lifeSeconds, google.tokenLifeSeconds),
  });
  return {
    status: 200,
    // Whole seconds, as Google writes them; the token itself is never good for less than it says.
    body: {
      accessToken: token,
      expireTime: expiresAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    },
  };
}

/** Answers `{ token }`; throws a Rejection. */
export function generateIdToken(
  google: Google,
  { email, bearer, body }: ImpersonationRequest,
): Answer {
  const caller = authenticate(google, bearer);
  const request = IdTokenRequest.safeParse(body).data;
  if (!request) throw invalidArgument();
  const account = target(google, caller, request.delegates, email, 'getOpenIdToken');
  const token = google.issueIdToken({
    email: account.email,
    audience: request.audience,
    withEmail: request.includeEmail,
  });
  return { status: 200, body: { token } };
}

/** Who holds this token that we issued ourselves. */
function authenticate(google: Google, bearer: string | undefined): string {
  const source = bearer === undefined ? undefined : google.ledger.valid(bearer);
  if (source?.kind !== 'access' || google.accounts.isDisabled(source.account)) {
    throw apiError(
      401,
      'UNAUTHENTICATED',
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid ' +
        'authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
    );
  }
  if (!source.scopes.some((scope) => sufficientScopes.includes(scope))) {
    throw apiError(
      403,
      'PERMISSION_DENIED',
      'Request had insufficient authentication scopes.',
      errorInfo('ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'googleapis.com', {
        service: 'iamcredentials.googleapis.com',
      }),
    );
  }
  return source.account;
}

/** Follows the chain caller → delegates → account: each must be allowed to act as the next. */
function target(
  google: Google,
  caller: string,
  chain: string[],
  email: string,
  permission: 'getAccessToken' | 'getOpenIdToken',
): ServiceAccount {
  const names = [...chain.map((name) => name.slice('projects/-/serviceAccounts/'.length)), email];
  let actor = caller;
  let account: ServiceAccount | undefined;
  for (const name of names) {
    account = google.accounts.serviceAccounts.get(name);
    if (!account) {
      throw apiError(404, 'NOT_FOUND', `Not found; Gaia id not found for email ${name}`);
    }
    if (account.disabled || !account.impersonators.has(actor)) {
      const full = `iam.serviceAccounts.${permission}`;
      throw apiError(
        403,
        'PERMISSION_DENIED',
        `Permission '${full}' denied on resource (or it may not exist).`,
        errorInfo('IAM_PERMISSION_DENIED', 'iam.googleapis.com', { permission: full }),
      );
    }
    actor = name;
  }
  if (!account) throw invalidArgument();
  return account;
}

function invalidArgument(): Rejection {
  return apiError(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.');
}

function errorInfo(reason: string, domain: string, metadata: object): object[] {
  return [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain, metadata }];
}
