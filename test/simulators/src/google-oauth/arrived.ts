/** One request as it came in: which endpoint, and what it claims before anything is checked. */
import type { IncomingMessage } from 'node:http';
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import { bearerOf } from '../cloud/web-server.ts';
import type { Call, Endpoint } from './calls.ts';
import type { Google } from './google.ts';
import type { ImpersonationRequest } from './iam-credentials-endpoint.ts';
import { parseJwt } from './jwt.ts';
import { splitScopes } from './scopes.ts';

const largestBody = 1024 * 1024;

export interface Arrived {
  endpoint: Endpoint;
  method: string;
  path: string;
  contentType: string;
  form: URLSearchParams;
  /** Of the IAM credentials endpoints. */
  impersonation(): ImpersonationRequest;
}

/** Reads the whole request; rejects when the client goes away or sends more than 1 MiB. */
export async function receive(request: IncomingMessage): Promise<Arrived> {
  const method = request.method ?? '';
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > largestBody) throw new Error(`${method} ${path}: more than ${largestBody} bytes`);
  }
  const body = Buffer.concat(chunks).toString();
  return {
    endpoint: endpointOf(method, path),
    method,
    path,
    contentType: request.headers['content-type'] ?? '',
    form: new URLSearchParams(body),
    impersonation: () => ({
      email: emailIn(path),
      bearer: bearerOf(request),
      body: parseJson(body),
    }),
  };
}

const impersonationPath = /^\/v1\/projects\/-\/serviceAccounts\/(?<email>[^/:]+):(?<verb>\w+)$/;

function endpointOf(method: string, path: string): Endpoint {
  if (method === 'POST') {
    if (path === '/token') return 'token';
    if (path === '/v1/token') return 'sts';
    const verb = impersonationPath.exec(path)?.groups?.verb;
    if (verb === 'generateAccessToken' || verb === 'generateIdToken') return verb;
  }
  if (method === 'GET' && path === '/oauth2/v1/certs') return 'certs';
  return 'unknown';
}

const JwtClaims = z.object({
  iss: z.string().optional(),
  scope: z.string().optional(),
  target_audience: z.string().optional(),
});
const IamBody = z.object({
  scope: z.array(z.string()).default([]),
  audience: z.string().optional(),
});

/** Who wants what, for the books; nothing of it is proven. */
export function claimedBy(
  google: Google,
  { endpoint, form, impersonation }: Arrived,
): Pick<Call, 'grant' | 'account' | 'scopes' | 'audience'> {
  if (endpoint === 'generateAccessToken' || endpoint === 'generateIdToken') {
    const { email, body } = impersonation();
    const { scope, audience } = IamBody.safeParse(body).data ?? { scope: [] };
    return { account: email, scopes: scope, ...(audience !== undefined && { audience }) };
  }
  const assertion = form.get('assertion');
  const jwt = assertion === null ? undefined : parseJwt(assertion);
  const claims = JwtClaims.safeParse(jwt?.claims).data ?? {};
  const { refreshGrants, subjectGrants } = google.accounts;
  const grant = form.get('grant_type');
  const account =
    claims.iss ??
    refreshGrants.find(({ refreshToken }) => refreshToken === form.get('refresh_token'))?.email ??
    subjectGrants.find(({ subjectToken }) => subjectToken === form.get('subject_token'))?.principal;
  const audience = claims.target_audience ?? form.get('audience');
  return {
    ...(grant !== null && { grant }),
    ...(account !== undefined && { account }),
    scopes: splitScopes(claims.scope ?? form.get('scope')),
    ...(audience !== null && { audience }),
  };
}

function emailIn(path: string): string {
  const email = impersonationPath.exec(path)?.groups?.email ?? '';
  try {
    return decodeURIComponent(email);
  } catch {
    return email;
  }
}
