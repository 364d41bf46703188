import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExternalAccountClient } from 'google-auth-library';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cloudPlatform, email, post, start } from './testing.ts';

const audience =
  '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/racks/providers/rack4';
const principal =
  'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/racks/subject/jumphost';
const subjectTokenType = 'urn:ietf:params:oauth:token-type:jwt';

async function startWithSubject() {
  const google = await start();
  google.addSubjectToken({
    audience,
    subjectToken: 'their.own.token',
    subjectTokenType,
    principal,
  });
  const folder = await mkdtemp(join(tmpdir(), 'skolo-sts-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'subject-token');
  await writeFile(file, 'their.own.token');
  const config = {
    type: 'external_account',
    audience,
    subject_token_type: subjectTokenType,
    token_url: google.stsUrl,
    credential_source: { file },
    scopes: [cloudPlatform],
  };
  return { google, config, file };
}

describe('token exchange', () => {
  it('serves google-auth-library’s external account', async () => {
    const { google, config } = await startWithSubject();

    const token = await ExternalAccountClient.fromJSON(config)?.getAccessToken();

    expect(google.isValid(String(token?.token), cloudPlatform)).toBe(true);
    expect(google.calls).toMatchObject([{ endpoint: 'sts', account: principal, audience }]);
  });

  it('serves an external account that acts as a service account', async () => {
    const { google, config } = await startWithSubject();
    google.allowImpersonation(principal, email);

    const token = await ExternalAccountClient.fromJSON({
      ...config,
      service_account_impersonation_url: google.impersonationUrl(email),
    })?.getAccessToken();

    expect(google.isValid(String(token?.token), cloudPlatform)).toBe(true);
    expect(google.issued.at(-1)?.account).toBe(email);
    expect(google.calls.map(({ endpoint }) => endpoint)).toEqual(['sts', 'generateAccessToken']);
  });

  it('rejects a subject token that nobody registered', async () => {
    const { google, config, file } = await startWithSubject();
    await writeFile(file, 'somebody.elses.token');

    await expect(ExternalAccountClient.fromJSON(config)?.getAccessToken()).rejects.toThrow(
      'Error code invalid_grant: The given credential is rejected by the identity provider.',
    );
    expect(google.issued).toEqual([]);
  });

  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience,
    scope: cloudPlatform,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: 'their.own.token',
    subject_token_type: subjectTokenType,
  };
  it.each([
    ['another grant', { grant_type: 'refresh_token' }, 'unsupported_grant_type'],
    ['no audience', { audience: '' }, 'invalid_request'],
    ['an unknown pool', { audience: `${audience}-2` }, 'invalid_target'],
    ['another kind of token', { subject_token_type: 'urn:x' }, 'invalid_grant'],
    ['no requested type', { requested_token_type: '' }, 'invalid_request'],
    ['no scope', { scope: '' }, 'invalid_scope'],
    ['a scope that is none', { scope: 'all' }, 'invalid_scope'],
  ])('rejects %s', async (_what, change, error) => {
    const { google } = await startWithSubject();

    const answer = await post(google.stsUrl, { ...form, ...change });

    expect(answer).toMatchObject({ status: 400, body: { error } });
    expect(google.issued).toEqual([]);
  });
});
