/** Each request to Google goes through the proxy of the environment. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountCredentials } from '@skolo/base/secrets';
import { Secret } from '@skolo/base/secrets';
import { serveExampleTest, startProxy, tempDir } from '@skolo/base/testing';
import { makeServiceAccountKey } from '@skolo/simulators';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fetchGoogleKeys, keyFileSignIn, tokenSource } from './index.ts';

const url = 'https://google.example.test';

beforeEach(() => vi.stubEnv('NO_PROXY', '10.0.0.0/8'));
afterEach(() => void vi.unstubAllEnvs());

/** Answers as all of Google's token endpoints at once. */
async function setUp() {
  const dir = await tempDir();
  const port = await serveExampleTest((_, response) => {
    const times = { expires_in: 3600, expireTime: new Date(Date.now() + 3.6e6).toISOString() };
    const token = { access_token: 'token', accessToken: 'token', token_type: 'Bearer' };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...token, issued_token_type: 'x', ...times, keys: [] }));
  });
  const proxy = await startProxy(() => port);
  vi.stubEnv('HTTPS_PROXY', `http://ann:s3cret@${proxy.host}`);
  const key = makeServiceAccountKey({ email: 'a@b.c', tokenUri: `${url}/token` });
  const user = { client_id: 'c', client_secret: 's', refresh_token: 'r' };
  const external = {
    type: 'external_account',
    audience: 'a',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${url}/sts`,
    service_account_impersonation_url: `${url}/x/serviceAccounts/a@b:generateAccessToken`,
    credential_source: { file: join(dir, 'subject') },
  };
  const files = { key, user: { type: 'authorized_user', ...user }, external, subject: { a: 1 } };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(dir, name), JSON.stringify(content));
  }
  return { ...proxy, dir, files };
}

const key = { kind: 'serviceAccountKey', file: 'key' } as const;

it.each<[AccountCredentials, number]>([
  [key, 1],
  [{ kind: 'refreshToken', file: 'user', tokenUrl: `${url}/token` }, 1],
  [{ kind: 'externalAccount', file: 'external' }, 2],
  [{ kind: 'impersonate', email: 'x@y', from: key, delegates: [], endpoint: url }, 2],
])('%o: %i', async (credentials, count) => {
  const { dir, connects } = await setUp();
  const source = await tokenSource(credentials, { dir, now: Date.now });

  const { token } = await source.accessToken(['scope'], new AbortController().signal);

  expect(token).toBe('token');
  expect(connects).toEqual(new Array(count).fill('CONNECT google.example.test:443'));
});

it('includes the keys for ID tokens, and a key file of any type', async () => {
  const { connects, files } = await setUp();
  const secret = new Secret(JSON.stringify(files.external));
  const signIn = keyFileSignIn('external', async () => secret, { scopes: ['scope'] });

  await fetchGoogleKeys(`${url}/certs`);
  expect((await signIn.headers()).get('authorization')).toBe('Bearer token');

  expect(connects).toEqual(new Array(3).fill('CONNECT google.example.test:443'));
});

it.each<[AccountCredentials]>([
  [key],
  [{ kind: 'refreshToken', file: 'user', tokenUrl: `${url}/token` }],
  [{ kind: 'externalAccount', file: 'external' }],
])('%o: an error names the proxy', async (credentials) => {
  const { dir } = await setUp();
  const refusing = await startProxy(
    () => 0,
    (socket) => socket.end('HTTP/1.1 407 No\r\n\r\n'),
  );
  vi.stubEnv('HTTPS_PROXY', `http://ann:s3cret@${refusing.host}`);
  vi.stubEnv('https_proxy', '');
  const source = await tokenSource(credentials, { dir, now: Date.now });

  const error = await source.accessToken(['scope'], new AbortController().signal).then(
    () => undefined,
    (thrown) => thrown,
  );

  expect(error).toMatchObject({
    code: 'unreachable',
    detail: 'PROXY',
    message: `google.example.test: the proxy ${refusing.host}: does not connect to google.example.test:443: 407 Proxy Authentication Required; check the user and password in the variable`,
  });
  expect(JSON.stringify([error, error.message])).not.toContain('s3cret');
});
