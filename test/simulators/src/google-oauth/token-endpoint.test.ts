import { createSign } from 'node:crypto';
import { OAuth2Client, UserRefreshClient } from 'google-auth-library';
import { describe, expect, it } from 'vitest';
import {
  assertion,
  clientId,
  email,
  post,
  postAssertion,
  scope,
  start,
  startWithKey,
} from './testing.ts';

describe('JWT bearer grant', () => {
  it('gives an access token for a JWT signed with nothing but node:crypto', async () => {
    const { google, key } = await startWithKey();
    const now = Math.floor(Date.now() / 1000);
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const signedPart = `${encode({ alg: 'RS256', typ: 'JWT', kid: key.private_key_id })}.${encode({
      iss: key.client_email,
      scope,
      aud: google.tokenUrl,
      iat: now,
      exp: now + 3600,
    })}`;
    const signature = createSign('RSA-SHA256').update(signedPart).sign(key.private_key);

    const { status, body } = await postAssertion(
      google.tokenUrl,
      `${signedPart}.${signature.toString('base64url')}`,
    );

    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^ya29\.c\.[\w-]+\.+$/),
      expires_in: 3599,
      token_type: 'Bearer',
    });
    expect(body.access_token).toHaveLength(1024);
    expect(google.isValid(String(body.access_token), scope)).toBe(true);
    expect(google.calls).toMatchObject([
      { endpoint: 'token', account: email, scopes: [scope], status: 200, method: 'POST' },
    ]);
  });

  it('gives an ID token that google-auth-library verifies', async () => {
    const { google, key } = await startWithKey();
    const jwt = assertion(key, { scope: undefined, target_audience: 'https://service.example' });

    const { body } = await postAssertion(google.tokenUrl, jwt);

    expect(Object.keys(body)).toEqual(['id_token']);
    const certs = (await (await fetch(google.certsUrl)).json()) as Record<string, string>;
    const ticket = await new OAuth2Client().verifySignedJwtWithCertsAsync(
      String(body.id_token),
      certs,
      'https://service.example',
      ['https://accounts.google.com'],
    );
    const claims = ticket.getPayload();
    expect(claims).toMatchObject({ aud: 'https://service.example', azp: email, email });
    expect(claims?.email_verified).toBe(true);
    expect(claims?.sub).toBe(key.client_id);
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBe(3600);
  });

  const now = Math.floor(Date.now() / 1000);
  const timeframe =
    'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';
  it.each([
    ['longer than an hour', { iat: now, exp: now + 3601 }, 400, 'invalid_grant', timeframe],
    ['expired', { iat: now - 4000, exp: now - 400 }, 400, 'invalid_grant', timeframe],
    ['from the future', { iat: now + 400, exp: now + 4000 }, 400, 'invalid_grant', timeframe],
    ['over before it begins', { iat: now, exp: now - 1 }, 400, 'invalid_grant', timeframe],
    [
      'for another audience',
      { aud: 'https://oauth2.googleapis.com/token' },
      400,
      'invalid_grant',
      'Invalid JWT: Failed audience check.',
    ],
    [
      'of nobody',
      { iss: 'nobody@my-project.iam.gserviceaccount.com' },
      400,
      'invalid_grant',
      'Invalid grant: account not found',
    ],
    ['without iss', { iss: undefined }, 400, 'invalid_grant', 'Bad Request'],
    [
      'without scope',
      { scope: '' },
      400,
      'invalid_scope',
      'Invalid OAuth scope or ID token audience provided.',
    ],
    [
      'with a scope that is none',
      { scope: 'everything' },
      400,
      'invalid_scope',
      'everything is not a valid audience string.',
    ],
    [
      'for a person',
      { sub: 'ann@example.com' },
      401,
      'unauthorized_client',
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
    ],
  ])('rejects a JWT %s', async (_what, claims, status, error, description) => {
    const { google, key } = await startWithKey();

    const answer = await postAssertion(google.tokenUrl, assertion(key, claims));

    expect(answer).toEqual({ status, body: { error, error_description: description } });
    expect(google.issued).toEqual([]);
    expect(google.calls[0]).toMatchObject({ status, rejection: error });
  });

  it('rejects a JWT whose claims were changed after signing, or that is not signed with RS256', async () => {
    const { google, key } = await startWithKey();
    const [header, , signature] = assertion(key).split('.');
    const [, otherClaims] = assertion(key, { scope: `${scope}.more` }).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');

    const changed = await postAssertion(google.tokenUrl, `${header}.${otherClaims}.${signature}`);
    const unsigned = await postAssertion(google.tokenUrl, `${none}.${otherClaims}.${signature}`);
    const text = await postAssertion(google.tokenUrl, 'not a jwt');

    expect(changed.body.error_description).toBe('Invalid JWT Signature.');
    expect(unsigned.body.error_description).toBe('Invalid JWT Signature.');
    expect(text.body.error_description).toBe('Bad Request');
  });

  it('goes by the clock that it is given', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    const { google, key } = await startWithKey({ clock: { now: () => now } });
    google.tokenLifeSeconds = 60;
    const iat = now / 1000;

    const { body } = await postAssertion(google.tokenUrl, assertion(key, { iat, exp: iat + 3600 }));

    expect(body.expires_in).toBe(60);
    now += 59_999;
    expect(google.isValid(String(body.access_token))).toBe(true);
    now += 1;
    expect(google.isValid(String(body.access_token))).toBe(false);
    const late = await fetch(google.tokenUrl);
    expect(late.headers.get('date')).toBe('Tue, 01 Jan 2030 00:01:00 GMT');
  });
});

describe('refresh grant', () => {
  const grant = {
    clientId,
    clientSecret: 'secret',
    refreshToken: '1//refresh',
    email: 'ann@example.com',
    scopes: ['openid', scope],
  };

  it('serves google-auth-library’s refresh client', async () => {
    const google = await start();
    google.addRefreshToken(grant);
    const client = new UserRefreshClient({
      clientId,
      clientSecret: 'secret',
      refreshToken: '1//refresh',
      endpoints: { oauth2TokenUrl: google.tokenUrl },
    });

    const { token } = await client.getAccessToken();

    expect(google.isValid(String(token), scope)).toBe(true);
    expect(google.calls).toMatchObject([{ grant: 'refresh_token', account: 'ann@example.com' }]);
    expect(client.credentials.scope).toBe(`openid ${scope}`);
    const certs = (await (await fetch(google.certsUrl)).json()) as Record<string, string>;
    const ticket = await client.verifySignedJwtWithCertsAsync(
      String(client.credentials.id_token),
      certs,
      clientId,
    );
    expect(ticket.getPayload()?.email).toBe('ann@example.com');
  });

  const form = {
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: 'secret',
    refresh_token: '1//refresh',
  };
  it.each([
    ['another secret', { client_secret: 'wrong!' }, 401, 'invalid_client'],
    ['no secret', { client_secret: '' }, 401, 'invalid_client'],
    ['an unknown client', { client_id: 'else' }, 401, 'invalid_client'],
    ['no client', { client_id: '' }, 400, 'invalid_request'],
    ['another refresh token', { refresh_token: '1//other' }, 400, 'invalid_grant'],
    ['more scopes', { scope: 'https://www.googleapis.com/auth/drive' }, 400, 'invalid_scope'],
  ])('rejects %s', async (_what, change, status, error) => {
    const google = await start();
    google.addRefreshToken(grant);

    const answer = await post(google.tokenUrl, { ...form, ...change });

    expect(answer).toMatchObject({ status, body: { error } });
    expect(google.issued).toEqual([]);
  });
});

describe('token endpoint', () => {
  it('rejects other grants, and none', async () => {
    const google = await start();

    const other = await post(google.tokenUrl, { grant_type: 'password' });
    const none = await post(google.tokenUrl, {});

    expect(other).toEqual({
      status: 400,
      body: { error: 'unsupported_grant_type', error_description: 'Invalid grant_type: password' },
    });
    expect(none).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('wants a form', async () => {
    const { google, key } = await startWithKey();

    const response = await fetch(google.tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ assertion: assertion(key) }),
    });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  it('leaves out of its books what never was a whole request', async () => {
    const google = await start();
    const relay = await google.behindRelay();
    const cut = relay.inject({ at: /POST/, after: { sent: 100 }, effect: 'reset' });

    await expect(post(google.tokenUrl, { assertion: 'x'.repeat(1000) })).rejects.toThrow();
    await (await fetch(google.certsUrl)).text();

    expect(cut.hits).toBe(1);
    expect(google.calls.map(({ endpoint }) => endpoint)).toEqual(['certs']);
  });

  it('knows nothing at any other path', async () => {
    const google = await start();

    const response = await fetch(`${google.url}/nowhere`);

    expect(response.status).toBe(404);
    expect(google.calls).toMatchObject([{ endpoint: 'unknown', status: 404 }]);
  });
});
