/** Each kind of credentials against Google's token side, and what they say when it fails. */
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AccountCredentials, Secret } from '@skolo/base/secrets';
import { listen } from '@skolo/base/testing';
import {
  type GoogleOAuth,
  makeServiceAccountKey,
  type NetworkFault,
  startGoogleOAuth,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keyFileSignIn, type TokenSource, tokenSource } from './index.ts';

const email = 'bots@my-project.iam.gserviceaccount.com';
const target = 'target@my-project.iam.gserviceaccount.com';
const person = 'ann@example.com';
const userinfo = 'https://www.googleapis.com/auth/userinfo.email';
const cloudPlatform = 'https://www.googleapis.com/auth/cloud-platform';
const audience =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/racks/providers/rack4';
const principal = 'principal://iam.googleapis.com/projects/1/subject/jumphost';
const subjectType = 'urn:ietf:params:oauth:token-type:jwt';

/** Everything that a credential file may name, known to the simulator, in a folder of the test's own. */
async function setUp() {
  const google = await startGoogleOAuth();
  const relay = await google.behindRelay();
  const dir = await mkdtemp(join(tmpdir(), 'skolo-credentials-'));
  onTestFinished(async () => {
    await google.close();
    await rm(dir, { recursive: true });
  });
  const write = (name: string, content: object | string) =>
    writeFile(join(dir, name), typeof content === 'string' ? content : JSON.stringify(content));
  const key = makeServiceAccountKey({ email, tokenUri: google.tokenUrl });
  google.addServiceAccountKey(key);
  google.addRefreshToken({
    clientId: 'client',
    clientSecret: 'client-secret',
    refreshToken: 'refresh-me',
    email: person,
    scopes: [userinfo, cloudPlatform],
  });
  google.addSubjectToken({
    audience,
    subjectToken: 'theirs',
    subjectTokenType: subjectType,
    principal,
  });
  for (const actor of [email, person, principal]) google.allowImpersonation(actor, target);
  const external = {
    type: 'external_account',
    audience,
    subject_token_type: subjectType,
    token_url: google.stsUrl,
    credential_source: { file: join(dir, 'subject') },
  };
  await write('key.json', key);
  await write('subject', 'theirs');
  await write('external.json', external);
  await write('external-as.json', {
    ...external,
    service_account_impersonation_url: google.impersonationUrl(target),
  });
  await write('user.json', {
    type: 'authorized_user',
    client_id: 'client',
    client_secret: 'client-secret',
    refresh_token: 'refresh-me',
  });
  const source = (credentials: AccountCredentials, now = Date.now) =>
    tokenSource(credentials, { dir, now });
  return { google, relay, dir, write, source, key };
}

const soon = () => new AbortController().signal;

const serviceAccountKey = { kind: 'serviceAccountKey', file: 'key.json' } as const;
const refreshToken = (google: GoogleOAuth) =>
  ({ kind: 'refreshToken', file: 'user.json', tokenUrl: google.tokenUrl }) as const;
const externalAccount = { kind: 'externalAccount', file: 'external.json' } as const;
const impersonate = (
  google: GoogleOAuth,
  from: Exclude<AccountCredentials, { kind: 'impersonate' }>,
) =>
  ({
    kind: 'impersonate',
    email: target,
    from,
    delegates: [],
    endpoint: google.url,
  }) satisfies AccountCredentials;

/** Each kind that goes upstream, with the account that its tokens are for. */
const kinds: [string, (google: GoogleOAuth) => AccountCredentials, string, string | undefined][] = [
  ['a service account key', () => serviceAccountKey, email, email],
  ['a refresh token', refreshToken, person, undefined],
  ['an external account', () => externalAccount, principal, undefined],
  [
    'an external account as a service account',
    () => ({ ...externalAccount, file: 'external-as.json' }),
    target,
    target,
  ],
  ['impersonation by key', (google) => impersonate(google, serviceAccountKey), target, target],
  [
    'impersonation by refresh token',
    (google) => impersonate(google, refreshToken(google)),
    target,
    target,
  ],
  [
    'impersonation by external account',
    (google) => impersonate(google, externalAccount),
    target,
    target,
  ],
];

/** As the endpoints of all kinds answer. */
const good = {
  access_token: 'ya29.theirs',
  accessToken: 'ya29.theirs',
  expires_in: 3599,
  expireTime: '2999-01-01T00:00:00Z',
  token_type: 'Bearer',
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};
const huge = 'x'.repeat(2 ** 20);
const badAnswers: Record<string, Parameters<GoogleOAuth['script']>[0]> = {
  'an error': { status: 500, body: { error: 'internal_failure' } },
  'an HTML page': { status: 503, body: '<!DOCTYPE html><title>Error 503</title>' },
  'too many requests': { status: 429, body: { error: 'rate_limit_exceeded' } },
  'no text': { status: 200, body: Buffer.from([0xff, 0, 0xfe]) },
  nothing: { status: 200 },
  'too much': { status: 200, body: { ...good, access_token: huge, accessToken: huge } },
  'no token': { status: 200, body: { ...good, access_token: undefined, accessToken: undefined } },
  'an empty token': { status: 200, body: { ...good, access_token: '', accessToken: '' } },
  'no expiry': { status: 200, body: { ...good, expires_in: undefined, expireTime: undefined } },
  'a vague expiry': { status: 200, body: { ...good, expires_in: 'soon', expireTime: 'soon' } },
  'an early expiry': {
    status: 200,
    body: { ...good, expires_in: -3599, expireTime: '1969-12-31T23:00:00Z' },
  },
  'no life': { status: 200, body: { ...good, expires_in: 0, expireTime: '1970-01-01T00:00:00Z' } },
};
/** `expires_in` in forms that endpoints have used, and the life in seconds that counts. */
const lives: [unknown, number][] = [
  ['3600', 3600],
  [' 120\n', 120],
  [90.5, 90],
  ['1e9', 43_200],
  [1e300, 43_200],
  [60, 60],
];
const noLives: [unknown, RegExp][] = [
  [59, /valid for \d\d s, but at least 60 s are required/],
  ['30', /valid for (29|30) s, but at least 60 s/],
  [0, /at least 60 s|token and its expiry/],
  [-5, /valid for -\d+ s/],
  ['', /at least 60 s|token and its expiry/],
  ['soon', /lifetime is not a number/],
  ['NaN', /lifetime is not a number/],
  [[3600, 1], /lifetime is not a number/],
  [null, /lifetime is not a number|token and its expiry/],
  [undefined, /lifetime is not a number|token and its expiry/],
];
const networkFaults: Record<string, NetworkFault> = {
  'a reset': { after: { answered: 0 }, effect: 'reset' },
  'no HTTP': { after: { answered: 0 }, effect: 'garbage' },
  'half an answer': { after: { answered: 400 }, effect: 'end' },
};

describe.each(kinds)('%s', (_, credentials, account, accountEmail) => {
  it('gives an access token for the scopes, and its e-mail', async () => {
    const { google, source } = await setUp();
    const tokens = await source(credentials(google));

    const { token, lifeSeconds } = await tokens.accessToken([cloudPlatform], soon());

    expect(google.isValid(token, cloudPlatform)).toBe(true);
    expect(google.issued.at(-1)?.account).toBe(account);
    expect(lifeSeconds).toBeGreaterThan(3500);
    expect(lifeSeconds).toBeLessThanOrEqual(3600);
    expect(await tokens.email()).toBe(accountEmail);
  });

  it('makes each upstream call once, and says what failed without any secret', async () => {
    const { google, relay, source, key } = await setUp();
    for (const what of Object.keys({ ...badAnswers, ...networkFaults })) {
      if (badAnswers[what]) google.script(badAnswers[what]);
      if (networkFaults[what]) relay.inject(networkFaults[what]);
      const before = google.calls.length;
      const error = await (await source(credentials(google)))
        .accessToken([cloudPlatform], soon())
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
      google.behave();
      relay.mend();

      expect(error, what).toMatchObject({ name: 'SignInError' });
      const endpoints = google.calls.slice(before).map(({ endpoint }) => endpoint);
      expect(endpoints.length, what).toBeGreaterThanOrEqual(1);
      expect(new Set(endpoints).size, what).toBe(endpoints.length);
      const said = JSON.stringify([String(error), error]);
      for (const secret of [
        'refresh-me',
        'client-secret',
        'theirs',
        'ya29',
        'eyJ',
        key.private_key.slice(60, 90),
      ]) {
        expect(said, what).not.toContain(secret);
      }
    }
  });

  it('lets go when it is told to', async () => {
    const { google, relay, source } = await setUp();
    const silence = relay.inject({ effect: 'silence' });
    const stop = new AbortController();
    const asking = (await source(credentials(google))).accessToken([cloudPlatform], stop.signal);
    await silence.struck();
    stop.abort();
    await expect(asking).rejects.toThrow();
    await silence.givenUp();
  });
});

describe.each(kinds.filter(([name]) => !/as a service|impersonation/.test(name)))(
  'the life of a token by %s',
  (_, credentials) => {
    async function lifeOf(expires_in: unknown) {
      const { google, source } = await setUp();
      google.script({ status: 200, body: { ...good, expires_in } });
      return await (await source(credentials(google))).accessToken([userinfo], soon());
    }

    it.each(lives)('is understood: %j', async (given, seconds) => {
      const { lifeSeconds } = await lifeOf(given);
      expect(lifeSeconds).toBeGreaterThan(seconds - 1);
      expect(lifeSeconds).toBeLessThanOrEqual(seconds + 1);
    });

    it.each(noLives)('is a failure with its reason: %j', async (given, why) => {
      await expect(lifeOf(given)).rejects.toThrow(why);
    });
  },
);

it.each(['impersonation by key', 'an external account as a service account'])(
  'a short life of a token by %s is a failure with its reason',
  async (name) => {
    const { google, source } = await setUp();
    const credentials = kinds.find(([kind]) => kind === name)?.[1](google);
    if (!credentials) throw new Error(name);
    google.tokenLifeSeconds = 45;
    const asked = (await source(credentials)).accessToken([userinfo], soon());
    await expect(asked).rejects.toThrow(/at least 60 s/);
  },
);

describe('a subject token', () => {
  const ways = ['a file', 'a JSON file', 'a URL', 'a JSON URL'] as const;
  it.each(ways)('from %s has no line breaks around it, for each client', async (way) => {
    const { google, source, dir, write } = await setUp();
    const isJson = way.includes('JSON');
    const content = isJson ? JSON.stringify({ token: '\n theirs\r\n' }) : '\ntheirs\r\n';
    await write('subject', content);
    let asked: string | undefined;
    const server = createServer(({ headers }, response) => {
      asked = String(headers['x-metadata']);
      response.end(content);
    });
    const url = `http://127.0.0.1:${await listen(server)}/subject`;
    const place = way.includes('URL')
      ? { url, headers: { 'x-metadata': 'yes' } }
      : { file: join(dir, 'subject') };
    const format = isJson && { format: { type: 'json', subject_token_field_name: 'token' } };
    const content2 = {
      type: 'external_account',
      audience,
      subject_token_type: subjectType,
      token_url: google.stsUrl,
      credential_source: { ...place, ...format },
    };
    await write('external.json', content2);

    const { token } = await (await source(externalAccount)).accessToken([cloudPlatform], soon());
    const key = new Secret(JSON.stringify(content2));
    const library = keyFileSignIn('key', async () => key, { scopes: [cloudPlatform] });
    const byLibrary = (await library.headers()).get('authorization')?.replace('Bearer ', '') ?? '';

    for (const each of [token, byLibrary]) expect(google.isValid(each, cloudPlatform)).toBe(true);
    if (way.includes('URL')) expect(asked).toBe('yes');
  });

  it.each(['', ' \n', '{"other": 1}'])('that is missing is named: %j', async (content) => {
    const { google, source, write } = await setUp();
    const server = createServer((_, response) => response.end(content));
    const url = `http://127.0.0.1:${await listen(server)}/subject`;
    await write('external.json', {
      type: 'external_account',
      audience,
      subject_token_type: subjectType,
      token_url: google.stsUrl,
      credential_source: { url, format: { type: 'json', subject_token_field_name: 'token' } },
    });
    const asked = (await source(externalAccount)).accessToken([cloudPlatform], soon());
    await expect(asked).rejects.toThrow(/^127\.0\.0\.1:\d+: the field token of credential_source/);
    expect(google.issued).toEqual([]);
  });
});

describe('ID tokens', () => {
  it.each(kinds.filter(([name]) => !/^(an external|a refresh)/.test(name)))(
    'of %s are for the audience',
    async (_, credentials, account) => {
      const { google, source } = await setUp();
      const token = await idToken(await source(credentials(google)));
      expect(google.isValid(token.token)).toBe(true);
      expect(google.issued.at(-1)).toMatchObject({ audience: 'https://service.example', account });
      expect(token.lifeSeconds).toBe(3600);
    },
  );

  it('of an external account and of a person there are none', async () => {
    const { google, source } = await setUp();
    expect((await source(externalAccount)).idToken).toBeUndefined();
    expect((await source(refreshToken(google))).idToken).toBeUndefined();
  });

  function idToken(tokens: TokenSource) {
    if (!tokens.idToken) throw new Error('no ID tokens');
    return tokens.idToken('https://service.example', soon());
  }
});

it.each([
  ['impersonation', 'impersonation by key'],
  ['an external account as a service account', 'an external account as a service account'],
])('the life of a token by %s is counted by upstream’s clock', async (_, name) => {
  const { google, source } = await setUp();
  const credentials = kinds.find(([kind]) => kind === name)?.[1](google);
  if (!credentials) throw new Error(name);
  // Wrong by two minutes: a token endpoint takes that for a JWT.
  for (const wrong of [-120_000, 120_000]) {
    const { lifeSeconds } = await (await source(credentials, () => Date.now() + wrong)).accessToken(
      [userinfo],
      soon(),
    );
    expect(lifeSeconds).toBeGreaterThan(3590);
    expect(lifeSeconds).toBeLessThanOrEqual(3600);
  }
});

describe('a fixed token', () => {
  it('is the line of the file, or its JSON with expiry', async () => {
    const { source, write } = await setUp();
    await write('token', 'a-token\n');
    const fixed = await source({ kind: 'fixed', file: 'token' }, () =>
      Date.parse('2026-11-20T08:00:00Z'),
    );
    expect(await fixed.accessToken([], soon())).toEqual({ token: 'a-token', lifeSeconds: 3600 });

    await write('token', { access_token: 'b', expiry: '2026-11-20T08:10:00Z', email: person });

    expect(await fixed.accessToken([], soon())).toEqual({ token: 'b', lifeSeconds: 600 });
    expect(await fixed.email()).toBe(person);

    await write('token', { access_token: 'c', expires_in: 600, token_type: 'Bearer' });
    const { token, lifeSeconds } = await (
      await source({ kind: 'fixed', file: 'token' })
    ).accessToken([], soon());
    expect(token).toBe('c');
    expect(lifeSeconds).toBeGreaterThan(500);
    expect(lifeSeconds).toBeLessThanOrEqual(601);
  });

  it('counts text as seconds, and is a failure in its last minute', async () => {
    const { source, write, dir } = await setUp();
    await write('token', { access_token: 'a', expires_in: '600' });
    const fixed = await source({ kind: 'fixed', file: 'token' });
    expect((await fixed.accessToken([], soon())).lifeSeconds).toBeGreaterThan(500);

    await write('token', { access_token: 'a', expires_in: 86_400 });
    const thirteenHoursAgo = Date.now() / 1000 - 13 * 3600;
    await utimes(join(dir, 'token'), thirteenHoursAgo, thirteenHoursAgo);
    const { lifeSeconds } = await fixed.accessToken([], soon());
    expect(Math.round(lifeSeconds / 60)).toBe(11 * 60);

    await write('token', { access_token: 'a', expiry: new Date(Date.now() + 45_000) });
    await expect(fixed.accessToken([], soon())).rejects.toThrow(/^token: .* at least 60 s/);
  });

  it.each([
    [
      'has expired',
      { access_token: 'secret', expiry: '2020-01-01T00:00:00Z' },
      'the token expired at',
    ],
    ['has no token', { token: 'secret' }, 'expected a token on one line'],
    ['is broken JSON', '{"access_token": "secret"', 'expected a token on one line'],
  ])('that %s is rejected, with the reason and without the token', async (_, content, reason) => {
    const { source, write } = await setUp();
    await write('token', content);
    const error = await (await source({ kind: 'fixed', file: 'token' }))
      .accessToken([], soon())
      .catch(String);
    expect(error).toContain(reason);
    expect(error).not.toContain('secret');
  });
});

describe('a credential file', () => {
  const bad = {
    private_key: 'SECRET-KEY',
    refresh_token: 'SECRET-KEY',
    client_secret: 'SECRET-KEY',
  };
  it.each([
    [serviceAccountKey, 'key.json', 'expected a file of type service_account'],
    [
      { kind: 'refreshToken', file: 'user.json' },
      'user.json',
      'expected a file of type authorized_user',
    ],
    [externalAccount, 'external.json', 'expected a file of type external_account'],
  ] as const)(
    'of %j that is something else is rejected by name, without its content',
    async (credentials, file, expected) => {
      const { source, write } = await setUp();
      for (const content of ['SECRET-KEY', `{"private_key": "SECRET-KEY`, JSON.stringify(bad)]) {
        await write(file, content);
        const error = String(
          await (await source(credentials))
            .accessToken([userinfo], soon())
            .catch((e: unknown) => e),
        );
        expect(error).toContain(file);
        expect(error).toContain(expected);
        expect(error).not.toContain('SECRET-KEY');
      }
    },
  );

  it('with a key that is none is rejected without quoting it', async () => {
    const { source, write, key } = await setUp();
    await write('key.json', { ...key, private_key: 'SECRET-KEY' });
    await expect((await source(serviceAccountKey)).accessToken([userinfo], soon())).rejects.toThrow(
      'key.json: private_key is not an RSA key in PEM form',
    );
  });

  it('that sends secrets in clear text over a network is rejected', async () => {
    const { source, write, key } = await setUp();
    for (const token_uri of [
      'http://192.0.2.1/token',
      'http://localhost.example/',
      'ftp://127.0.0.1/',
      'nowhere',
    ]) {
      await write('key.json', { ...key, token_uri });
      await expect(
        (await source(serviceAccountKey)).accessToken([userinfo], soon()),
      ).rejects.toThrow('https');
    }
    const clear = {
      kind: 'refreshToken',
      file: 'user.json',
      tokenUrl: 'http://192.0.2.1/token',
    } as const;
    await expect((await source(clear)).accessToken([userinfo], soon())).rejects.toThrow('https');
  });

  it('with an executable is rejected: it could be anything', async () => {
    const { source, write } = await setUp();
    await write('external.json', {
      type: 'external_account',
      audience,
      subject_token_type: subjectType,
      token_url: 'https://sts.example/token',
      credential_source: { executable: { command: '/bin/true' } },
    });
    await expect((await source(externalAccount)).accessToken([], soon())).rejects.toThrow(
      'executable',
    );
  });
});

it('a key that upstream does not know is rejected in upstream’s own words', async () => {
  const { google, source, key } = await setUp();
  google.removeServiceAccountKey(key.private_key_id);
  await expect(
    (await source(serviceAccountKey)).accessToken([userinfo], soon()),
  ).rejects.toMatchObject({
    code: 'rejected',
    message: expect.stringMatching(/^127\.0\.0\.1:\d+: 400 invalid_grant: /),
  });
});
