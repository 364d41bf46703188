/**
 * `POST https://sts.googleapis.com/v1/token`: a token of another identity provider for one of Google's.
 *
 * Sources: RFC 8693, https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */
import type { Answer } from '../cloud/web-server.ts';
import type { Google } from './google.ts';
import { oauthError } from './rejection.ts';
import { checkScopes, splitScopes } from './scopes.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

/** Answers one request with the form's fields; throws a Rejection. */
export function stsEndpoint(google: Google, form: URLSearchParams): Answer {
  const grant = form.get('grant_type') ?? '';
  const audience = form.get('audience') ?? '';
  if (grant !== tokenExchange) {
    throw oauthError('unsupported_grant_type', `Unsupported grant type: ${grant}`);
  }
  if (form.get('requested_token_type') !== accessToken) {
    throw oauthError('invalid_request', 'Invalid value for "requested_token_type".');
  }
  if (!audience.startsWith('//iam.googleapis.com/')) {
    throw oauthError(
      'invalid_request',
      'Invalid value for "audience". This value should be the full resource name of the Identity Provider. ' +
        'See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.',
    );
  }
  const ofProvider = google.accounts.subjectGrants.filter((known) => known.audience === audience);
  if (ofProvider.length === 0) {
    throw oauthError(
      'invalid_target',
      'The target service indicated by the "audience" parameters is invalid. This might either be because ' +
        "the pool or provider is disabled or deleted or because it doesn't exist.",
    );
  }
  const subject = ofProvider.find(
    (known) =>
      known.subjectToken === form.get('subject_token') &&
      known.subjectTokenType === form.get('subject_token_type'),
  );
  if (!subject) {
    throw oauthError('invalid_grant', 'The given credential is rejected by the identity provider.');
  }
  const scopes = splitScopes(form.get('scope'));
  if (scopes.length === 0) throw oauthError('invalid_scope', 'Missing scope.');
  checkScopes(scopes);
  const { token, lifeSeconds } = google.issueAccessToken({
    account: subject.principal,
    scopes,
    kind: 'federated',
  });
  return {
    status: 200,
    body: {
      access_token: token,
      issued_token_type: accessToken,
      token_type: 'Bearer',
      expires_in: lifeSeconds,
    },
  };
}
