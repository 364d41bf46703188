import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { listen, startProxy, tempDir } from '@skolo/base/testing';
import { makeServiceAccountKey, startGooglePubSub } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Sink } from '../sink.ts';
import { createPubSubSink } from '../sinks/pubsub.ts';
import { flat, numberedAlert } from '../testing/messages.ts';
import { sinkErrorOf } from '../testing/sink-error.ts';
import type { PubSubCredentials } from './pubsub-sign-in.ts';

/** vitest.config.ts makes it a root certificate of gRPC. */
const certificate = new URL('../testing/tls/localhost.crt', import.meta.url).pathname;
const tls = {
  certificate: readFileSync(certificate, 'utf8'),
  key: readFileSync(certificate.replace('.crt', '.key'), 'utf8'),
};

/** Over TLS, because tokens are not sent otherwise; it keeps the tokens that it received. */
async function start(isGood: (token: string) => boolean = () => true) {
  const tokens: (string | undefined)[] = [];
  const google = await startGooglePubSub({
    topics: ['projects/my-project/topics/alerts'],
    tls,
    accepts: (token) => {
      tokens.push(token);
      return token !== undefined && isGood(token);
    },
  });
  onTestFinished(() => google.close());
  return { google, tokens };
}

type Google = Awaited<ReturnType<typeof start>>['google'];

function sinkFor(google: Google, credentials: PubSubCredentials, metadataUrl?: string): Sink {
  const sink = createPubSubSink(
    {
      name: 'pubsub',
      topic: 'alerts',
      createTopic: false,
      endpoint: `localhost:${google.port}`,
      credentials,
      metadataUrl,
      orderingKeys: 4,
      encodeAs: flat,
    },
    { env: {}, loopbackIsPlain: false },
  );
  onTestFinished(() => sink.close());
  return sink;
}

async function send(sink: Sink): Promise<void> {
  await sink.send([numberedAlert(1)], 'rack4-0', new AbortController().signal);
}

it('names a proxy that does not connect, without its password', async () => {
  const proxy = await startProxy(
    () => 1,
    (socket) => socket.end('HTTP/1.1 407 No\r\n\r\n'),
  );
  for (const name of ['HTTPS_PROXY', 'no_proxy', 'NO_PROXY', 'grpc_proxy']) vi.stubEnv(name, '');
  vi.stubEnv('https_proxy', `http://ann:passw0rd@${proxy.host}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { url } = await startMetadata();
  const pubsub = createPubSubSink({
    name: 'pubsub',
    project: 'my-project',
    topic: 'alerts',
    createTopic: false,
    endpoint: 'pubsub.example.test:443',
    credentials: 'metadata',
    metadataUrl: url,
    orderingKeys: 4,
    encodeAs: flat,
    timeoutMs: 2000,
  });
  onTestFinished(() => pubsub.close());

  const { reason, message } = await sinkErrorOf(send(pubsub));

  expect(reason).toBe('unavailable');
  expect(message).toContain(`Pub/Sub (through the proxy ${proxy.host}), projects/my-project/`);
  expect(message).not.toContain('passw0rd');
});

async function startMetadata() {
  const asked: { path: string; headers: IncomingHttpHeaders }[] = [];
  const state = { token: 'one', expiresIn: 3600, answer: (_: ServerResponse) => false };
  const server = createServer(({ url = '', headers }, response) => {
    asked.push({ path: url, headers });
    response.setHeader('metadata-flavor', 'Google');
    if (state.answer(response)) return;
    if (url.endsWith('/project/project-id')) return void response.end('my-project');
    if (!url.endsWith('/instance/service-accounts/default/token')) {
      response.statusCode = 404;
      return void response.end();
    }
    const { token, expiresIn } = state;
    const body = { access_token: token, expires_in: expiresIn, token_type: 'Bearer' };
    response.end(JSON.stringify(body));
  });
  const port = await listen(server);
  const tokens = () => asked.filter(({ path }) => path.endsWith('/token')).length;
  return { url: `http://127.0.0.1:${port}`, asked, tokens, state };
}

async function tempFile(content: string): Promise<string> {
  const folder = await tempDir();
  const file = join(folder, 'key.json');
  await writeFile(file, content, { mode: 0o600 });
  return file;
}

describe("the rack's metadata server", () => {
  it('is asked for project and token, and no other is looked for', async () => {
    const metadata = await startMetadata();
    const { google, tokens } = await start((token) => token === 'one');
    const sink = sinkFor(google, 'metadata', metadata.url);

    await send(sink);
    await send(sink);

    expect(google.counts.messages).toBe(2);
    expect(new Set(tokens)).toEqual(new Set(['one']));
    expect(metadata.asked.map(({ path, headers }) => [path, headers['metadata-flavor']])).toEqual([
      ['/computeMetadata/v1/project/project-id', 'Google'],
      ['/computeMetadata/v1/instance/service-accounts/default/token', 'Google'],
    ]);
  });

  it('is asked again when its token is rejected', async () => {
    const metadata = await startMetadata();
    const { google } = await start((token) => token === 'two');
    const sink = sinkFor(google, 'metadata', metadata.url);

    const error = await sinkErrorOf(send(sink));
    metadata.state.token = 'two';
    await send(sink);

    expect(error).toMatchObject({ reason: 'credentials', code: 'UNAUTHENTICATED' });
    expect(error.message).not.toContain('one:');
    expect(metadata.tokens()).toBe(2);
  });

  it('renews a token ahead of time, and uses the old one until then', async () => {
    const metadata = await startMetadata();
    const { google } = await start();
    const sink = sinkFor(google, 'metadata', metadata.url);
    metadata.state.expiresIn = 300;
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ['performance'] });

    await send(sink);
    vi.advanceTimersByTime(120_000);
    metadata.state.answer = (response) => {
      response.statusCode = 503;
      response.end();
      return true;
    };
    await send(sink);

    expect(metadata.tokens()).toBe(2);
    expect(google.counts.messages).toBe(2);
    vi.advanceTimersByTime(200_000);
    expect(await sinkErrorOf(send(sink))).toMatchObject({ reason: 'unavailable', code: '503' });
  });

  it.each([
    [503, 'unavailable', 'see its log for the reason'],
    [404, 'credentials', 'assign an identity to this machine or caller in rack.yaml'],
    [403, 'credentials', 'assign an identity to this machine or caller in rack.yaml'],
  ] as const)('has its own error when it answers %i', async (status, reason, hint) => {
    const metadata = await startMetadata();
    const { google } = await start();
    metadata.state.answer = (response) => {
      response.statusCode = status;
      response.end();
      return true;
    };

    const error = await sinkErrorOf(send(sinkFor(google, 'metadata', metadata.url)));

    expect(error).toMatchObject({ reason, code: String(status) });
    expect(error.message).toContain(`the metadata server ${metadata.url}`);
    expect(error.message).toContain(hint);
  });

  it('is rejected without its header, and reported when unreachable', async () => {
    const metadata = await startMetadata();
    const { google } = await start();
    metadata.state.answer = (response) => {
      response.removeHeader('metadata-flavor');
      response.end('<html>sign in to the wireless network</html>');
      return true;
    };

    const portal = await sinkErrorOf(send(sinkFor(google, 'metadata', metadata.url)));
    const unreachable = await sinkErrorOf(send(sinkFor(google, 'metadata', 'http://127.0.0.1:1')));

    expect(portal).toMatchObject({ reason: 'credentials' });
    expect(unreachable).toMatchObject({ reason: 'unavailable' });
    expect(unreachable.message).toContain('check that it is running');
  });
});

/** The claims, if the signature is valid. */
function claimsOf(token: string, { private_key }: { private_key: string }): unknown {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const key = createPublicKey(private_key);
  const isGood = verify(
    'RSA-SHA256',
    Buffer.from(`${header}.${claims}`),
    key,
    Buffer.from(signature, 'base64url'),
  );
  return isGood ? JSON.parse(Buffer.from(claims, 'base64url').toString()) : undefined;
}

function makeKey(name: string) {
  return makeServiceAccountKey({
    email: `${name}@my-project.iam.gserviceaccount.com`,
    tokenUri: 'https://localhost:1/token',
  });
}

describe('a key file', () => {
  it('signs its own tokens, and is read again when it changes', async () => {
    const [first, second] = [makeKey('first'), makeKey('second')];
    const { google, tokens } = await start();
    const keyFile = await tempFile(JSON.stringify(first));
    const sink = sinkFor(google, { keyFile });

    await send(sink);
    await writeFile(keyFile, JSON.stringify(second));
    await send(sink);

    expect(claimsOf(tokens[0] ?? '', first)).toMatchObject({
      iss: first.client_email,
      scope: expect.stringContaining('https://www.googleapis.com/auth/pubsub'),
    });
    expect(claimsOf(tokens[1] ?? '', second)).toMatchObject({ iss: second.client_email });
    expect(google.counts.messages).toBe(2);
  });

  it.each([
    ['is no JSON', '{"private_key": "s3cret"', 'not a Google key file'],
    ['is another file', '{"s3cret": "s3cret"}', 'not a Google key file'],
    [
      'holds a broken key',
      JSON.stringify({ ...makeKey('broken'), private_key: 's3cret' }),
      'replace it with a valid key',
    ],
    ['is empty', '', 'empty'],
  ])('that %s is reported without its content', async (_, content, hint) => {
    const { google } = await start();
    const keyFile = await tempFile(content);

    const error = await sinkErrorOf(send(sinkFor(google, { keyFile })));

    expect(error.reason).toBe('credentials');
    expect(error.message).toContain(keyFile);
    expect(error.message).toContain(hint);
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('s3cret');
    expect(google.counts.requests).toEqual({});
  });

  it('may be missing at first', async () => {
    const { google } = await start();
    const keyFile = `${await tempFile('')}.new`;
    const sink = sinkFor(google, { keyFile });

    const error = await sinkErrorOf(send(sink));
    await writeFile(keyFile, JSON.stringify(makeKey('late')));
    await send(sink);

    expect(error).toMatchObject({ reason: 'credentials', code: 'SECRET_MISSING' });
    expect(google.counts.messages).toBe(1);
  });
});

it("this computer's own credentials are those of GOOGLE_APPLICATION_CREDENTIALS, or the other defaults of Google", async () => {
  const key = makeKey('default');
  const { google, tokens } = await start();
  const home = await tempDir();
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('HOME', home);
  vi.stubEnv('CLOUDSDK_CONFIG', home);
  vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
  vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'my-project');
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '');
  const sink = sinkFor(google, 'default');

  const error = await sinkErrorOf(send(sink));
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', await tempFile(JSON.stringify(key)));
  await send(sink);

  expect(error).toMatchObject({ reason: 'credentials', code: 'NO_CREDENTIALS' });
  expect(error.message).toContain('GOOGLE_APPLICATION_CREDENTIALS');
  expect(claimsOf(tokens[0] ?? '', key)).toMatchObject({ iss: key.client_email });
});
