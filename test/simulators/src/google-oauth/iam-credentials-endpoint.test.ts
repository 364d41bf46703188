import { Impersonated, OAuth2Client, UserRefreshClient } from 'google-auth-library';
import { describe, expect, it } from 'vitest';
import { clientId, cloudPlatform, email, scope, start } from './testing.ts';

const person = 'ann@example.com';
const middle = 'middle@my-project.iam.gserviceaccount.com';

/** A person's own token is the source. */
async function startWithPerson(scopes = [cloudPlatform]) {
  const google = await start();
  google.addRefreshToken({
    clientId,
    clientSecret: 'secret',
    refreshToken: '1//refresh',
    email: person,
    scopes,
  });
  const sourceClient = new UserRefreshClient({
    clientId,
    clientSecret: 'secret',
    refreshToken: '1//refresh',
    endpoints: { oauth2TokenUrl: google.tokenUrl },
  });
  function impersonate(options: { delegates?: string[]; lifetime?: number } = {}) {
    return new Impersonated({
      sourceClient,
      targetPrincipal: email,
      targetScopes: [scope],
      endpoint: google.url,
      delegates: options.delegates ?? [],
      lifetime: options.lifetime ?? 3600,
    });
  }
  return { google, impersonate, sourceClient };
}

describe('generateAccessToken', () => {
  it('serves google-auth-library’s impersonation', async () => {
    const { google, impersonate } = await startWithPerson();
    google.allowImpersonation(person, email);
    const client = impersonate();

    const { token } = await client.getAccessToken();

    expect(google.isValid(String(token), scope)).toBe(true);
    const issued = google.issued.at(-1);
    expect(issued).toMatchObject({ account: email, scopes: [scope] });
    expect(client.credentials.expiry_date).toBe(
      Math.floor(Number(issued?.expiresAt) / 1000) * 1000,
    );
  });

  it('gives the life that was asked for', async () => {
    const { google, impersonate } = await startWithPerson();
    google.allowImpersonation(person, email);

    await impersonate({ lifetime: 900 }).getAccessToken();

    const issued = google.issued.at(-1);
    expect(Number(issued?.expiresAt) - Number(issued?.issuedAt)).toBe(900_000);
  });

  it('goes through delegates, each of whom must be allowed', async () => {
    const { google, impersonate } = await startWithPerson();
    const delegates = [`projects/-/serviceAccounts/${middle}`];
    google.allowImpersonation(person, middle);
    google.allowImpersonation('somebody@example.com', email);

    await expect(impersonate({ delegates }).getAccessToken()).rejects.toThrow('PERMISSION_DENIED');
    google.allowImpersonation(middle, email);
    const { token } = await impersonate({ delegates }).getAccessToken();

    expect(google.isValid(String(token))).toBe(true);
  });

  it('rejects who may not', async () => {
    const { google, impersonate } = await startWithPerson();
    google.allowImpersonation('somebody@example.com', email);

    await expect(impersonate().getAccessToken()).rejects.toThrow(
      "PERMISSION_DENIED: unable to impersonate: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
    );
  });

  it('rejects an account that is not there', async () => {
    const { impersonate } = await startWithPerson();

    await expect(impersonate().getAccessToken()).rejects.toThrow(
      `NOT_FOUND: unable to impersonate: Not found; Gaia id not found for email ${email}`,
    );
  });

  it('rejects a source token without the scope for it', async () => {
    const { google, impersonate } = await startWithPerson([scope]);
    google.allowImpersonation(person, email);

    await expect(impersonate().getAccessToken()).rejects.toThrow(
      'Request had insufficient authentication scopes.',
    );
  });

  it.each([
    ['a life over an hour', { scope: [scope], lifetime: '3601s' }],
    ['a life without unit', { scope: [scope], lifetime: '3600' }],
    ['no scope', { scope: [] }],
    ['a delegate in another form', { scope: [scope], delegates: [middle] }],
    ['no object', 'text'],
  ])('rejects %s', async (_what, body) => {
    const { google, sourceClient } = await startWithPerson();
    google.allowImpersonation(person, email);
    const { token } = await sourceClient.getAccessToken();

    const response = await fetch(google.impersonationUrl(email), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: {
        code: 400,
        message: 'Request contains an invalid argument.',
        status: 'INVALID_ARGUMENT',
      },
    });
  });

  it.each([
    ['none', undefined],
    ['one that it did not issue', 'Bearer ya29.stranger'],
  ])('rejects a source token that is %s', async (_what, authorization) => {
    const google = await start();

    const response = await fetch(google.impersonationUrl(email), {
      method: 'POST',
      headers: authorization === undefined ? {} : { authorization },
      body: JSON.stringify({ scope: [scope] }),
    });

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await response.json()).toMatchObject({ error: { status: 'UNAUTHENTICATED' } });
  });
});

describe('generateIdToken', () => {
  it('serves google-auth-library’s impersonation', async () => {
    const { google, impersonate } = await startWithPerson();
    google.allowImpersonation(person, email);

    const token = await impersonate().fetchIdToken('https://service.example', {
      includeEmail: true,
    });

    const certs = (await (await fetch(google.certsUrl)).json()) as Record<string, string>;
    const ticket = await new OAuth2Client().verifySignedJwtWithCertsAsync(
      token,
      certs,
      'https://service.example',
      ['https://accounts.google.com'],
    );
    expect(ticket.getPayload()).toMatchObject({ email, email_verified: true });
    expect(google.calls.at(-2)).toMatchObject({
      endpoint: 'generateIdToken',
      audience: 'https://service.example',
      account: email,
    });
  });

  it('leaves the e-mail out when nobody asks for it', async () => {
    const { google, impersonate } = await startWithPerson();
    google.allowImpersonation(person, email);

    const token = await impersonate().fetchIdToken('https://service.example', {
      includeEmail: false,
    });

    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).not.toHaveProperty('email');
    expect(claims.aud).toBe('https://service.example');
  });

  it('refuses to name no audience', async () => {
    const { google, impersonate } = await startWithPerson();
    google.allowImpersonation(person, email);

    await expect(impersonate().fetchIdToken('')).rejects.toThrow('invalid argument');
  });
});
