import { createServer } from 'node:http';
import { Secret } from '@skolo/base/secrets';
import { listen, tempDir, untilTestEnds } from '@skolo/base/testing';
import { makeServiceAccountKey, startGoogleOAuth } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { defaultToken, metadataServerToken, serviceAccountToken } from './token.ts';

const email = 'backups@my-project.iam.gserviceaccount.com';
const scope = 'https://www.googleapis.com/auth/devstorage.read_write';

async function start() {
  const google = untilTestEnds(await startGoogleOAuth());
  const relay = await google.behindRelay();
  const key = makeServiceAccountKey({ email, tokenUri: google.tokenUrl });
  google.addServiceAccountKey(key);
  return { google, relay, key, secret: new Secret(JSON.stringify(key)) };
}

describe('by the key of a service account', () => {
  it('is a token for storage, kept while it is good', async () => {
    const { google, secret } = await start();
    const token = serviceAccountToken(secret);

    const [one, two] = await Promise.all([token(), token()]);
    const three = await token();

    expect(google.isValid(one, scope)).toBe(true);
    expect([two, three]).toEqual([one, one]);
    expect(google.calls).toHaveLength(1);
  });

  it('is another one before the first expires', async () => {
    const { google, secret } = await start();
    google.tokenLifeSeconds = 300;
    const token = serviceAccountToken(secret);
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ['performance'] });

    const first = await token();
    vi.advanceTimersByTime(61_000);

    expect(await token()).not.toBe(first);
  });

  it.each([
    [{ status: 500 }, /^127.*: 500/],
    [{ status: 503, body: '<!DOCTYPE html>' }, /^127.*: 503/],
    [{ status: 429 }, /^127.*: 429/],
    [{ status: 200, body: 'no JSON' }, /^127.*: status 200, but no token/],
    [{ status: 200, body: { expires_in: 3599 } }, /^127.*: status 200, but no token/],
    ['a reset', /^127.*: /],
  ] as const)('%j: is unreachable, and tried again', async (answer, message) => {
    const { google, relay, secret } = await start();
    if (answer === 'a reset') relay.inject({ effect: 'reset', times: 1 });
    else google.script(answer, { times: 1 });
    const token = serviceAccountToken(secret);

    await expect(token()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(message),
    });
    expect(google.isValid(await token())).toBe(true);
  });

  it('is rejected with a key that was deleted', async () => {
    const { google, key, secret } = await start();
    google.removeServiceAccountKey(key.private_key_id);

    await expect(serviceAccountToken(secret)()).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/^127.*: 400 invalid_grant: /),
    });
  });

  it.each([
    ['canary, no JSON', {}, 'expected a file of type service_account'],
    ['', { type: 'authorized_user' }, 'expected a file of type service_account'],
    ['', { token_uri: 'http://tokens.example.com/' }, 'must be an https address'],
    ['', { private_key: 'canary' }, 'private_key is not an RSA key in PEM form'],
  ])('is not asked for with a wrong key: %s %j', async (text, change, message) => {
    const { key } = await start();
    const secret = new Secret(text || JSON.stringify({ ...key, ...change }));

    const error = await serviceAccountToken(secret)().catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code: 'rejected', message: expect.stringContaining(message) });
    expect(String(error)).not.toContain('canary');
  });
});

it('a token from the metadata server is asked for as any of its clients does', async () => {
  const asked: unknown[] = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push([url, headers['metadata-flavor']]);
    response.setHeader('metadata-flavor', 'Google');
    response.end('{"access_token":"from-the-rack","expires_in":3599,"token_type":"Bearer"}');
  });
  const port = await listen(server);

  const token = await metadataServerToken(`http://127.0.0.1:${port}`)();

  expect(token).toBe('from-the-rack');
  expect(asked).toEqual([
    ['/computeMetadata/v1/instance/service-accounts/default/token', 'Google'],
  ]);
  server.close();
  server.closeAllConnections();
  await expect(metadataServerToken(`http://127.0.0.1:${port}`)()).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringMatching(
      /^the metadata server http:.*: (connection refused|the connection was interrupted)/,
    ),
  });
});

describe('of whoever is on the workstation', () => {
  it('says how to sign in', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/key.json');
    onTestFinished(() => void vi.unstubAllEnvs());

    await expect(defaultToken()()).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/run `gcloud auth application-default login`/),
    });
  });

  it('finds no credentials where there are none', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '');
    vi.stubEnv('CLOUDSDK_CONFIG', await tempDir());
    vi.stubEnv('HOME', await tempDir());
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
    onTestFinished(() => void vi.unstubAllEnvs());

    await expect(defaultToken()()).rejects.toMatchObject({ code: 'rejected' });
  });
});
