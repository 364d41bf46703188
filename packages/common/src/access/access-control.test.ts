import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Role, route } from '@skolo/api';
import request from 'supertest';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createApp } from '../http/service-app.ts';
import { startGoogle } from '../testing/google.ts';
import { testApp } from '../testing/test-app.ts';
import { testRack } from '../testing/test-rack.ts';
import { AccessControl, type Caller } from './access-control.ts';
import { newToken, revokeToken } from './token-file.ts';

function routeFor<const R extends Role>(role: R) {
  const answers = { 200: z.looseObject({}) };
  return route({ method: 'get', path: `/${role}`, summary: 'Who was let in', role, answers });
}

const thing = route({
  method: 'get',
  path: '/thing/{name}',
  summary: 'A path that the caller chooses',
  role: 'view',
  params: z.object({ name: z.string() }),
  answers: { 200: z.looseObject({}) },
});
const api = {
  thing,
  view: routeFor('view'),
  operate: routeFor('operate'),
  admin: routeFor('admin'),
};
const whoWasLetIn = ({ caller }: { caller: Caller }) => ({
  status: 200 as const,
  body: { ...caller },
});
const handlers = {
  thing: whoWasLetIn,
  view: whoWasLetIn,
  operate: whoWasLetIn,
  admin: whoWasLetIn,
};

/** An app with a route for each role. */
async function start(access: string) {
  const parts = await testApp(access);
  const app = createApp(parts.options, { api, handlers });
  const tokens = join(parts.dir, 'tokens.yaml');
  async function get(path: string, token?: string, headers: Record<string, string> = {}) {
    const asking = request(app).get(path).set(headers);
    const answer = await (token === undefined ? asking : asking.auth(token, { type: 'bearer' }));
    const { 'www-authenticate': challenge, 'retry-after': retryAfter } = answer.headers;
    return { ...answer.body, code: answer.status, challenge, retryAfter };
  }
  async function rejections() {
    const text = await parts.metrics.getSingleMetricAsString('skolo_access_rejected_total');
    return text.match(/^skolo.* [1-9]\d*$/gm);
  }
  return { ...parts, app, tokens, get, rejections };
}

const withTokens = '{ tokens: { file: tokens.yaml } }';

it('counts each reason from 0, so that the first rejection is an increase', async () => {
  const { metrics } = await start(withTokens);

  const text = await metrics.getSingleMetricAsString('skolo_access_rejected_total');

  expect(text).toContain('skolo_access_rejected_total{reason="unknown"} 0');
  expect(text).toContain('skolo_access_rejected_total{reason="google"} 0');
});

describe('a token of the token file', () => {
  it.each([
    ['view', [200, 403, 403]],
    ['operate', [200, 200, 403]],
    ['admin', [200, 200, 200]],
  ] as const)('of role %s opens what the role may', async (role, codes) => {
    const { tokens, get } = await start(withTokens);
    const token = await newToken(tokens, { name: 'ann', role, expiresInDays: 1 });

    const answers = await Promise.all(
      ['/view', '/operate', '/admin'].map((path) => get(path, token)),
    );

    expect(answers.map(({ code }) => code)).toEqual(codes);
    expect(answers[0]).toMatchObject({ name: 'ann', role, by: 'token' });
  });

  it('that is too weak is told which role is needed', async () => {
    const { tokens, get, rejections } = await start(withTokens);
    const token = await newToken(tokens, { name: 'ann', role: 'view', expiresInDays: 1 });

    const answer = await get('/admin', token);

    expect(answer).toMatchObject({
      code: 403,
      detail: expect.stringContaining(
        'ann has the view role, but this request requires the admin role',
      ),
      challenge: 'Bearer realm="rack4", error="insufficient_scope", scope="admin"',
    });
    expect(await rejections()).toEqual(['skolo_access_rejected_total{reason="role"} 1']);
  });

  it('that is too weak, or has expired, is audited: once an hour for each kind of request', async () => {
    const { tokens, get, clock, options } = await start(withTokens);
    const token = await newToken(tokens, { name: 'ann', role: 'view', expiresInDays: 1 });
    async function audited() {
      const { entries } = await options.audit.read({ limit: 100 });
      return entries.map(({ who, role, what, target, outcome }) =>
        [who, role, what, target, outcome.slice(0, 17)].join(' '),
      );
    }

    for (const path of ['/admin?token=x', '/admin', '/operate', '/unknown', '/view']) {
      await get(path, token);
    }
    await get('/admin', 'skolo_of-a-stranger');
    const weak = (path: string) => `ann view rejected request GET ${path} rejected: ann has`;
    expect(await audited()).toEqual([weak('/operate'), weak('/admin')]);

    clock.pass(3_600_000);
    await get('/admin', token);
    expect(await audited()).toEqual([weak('/admin'), weak('/operate'), weak('/admin')]);

    clock.pass(86_400_000);
    await get('/view', token);
    expect((await audited())[0]).toBe('ann view rejected request GET /view rejected: expired');
  });

  it('that has expired does not fill the audit log, whatever paths its holder asks for', async () => {
    const { tokens, get, clock, options, metrics } = await start(withTokens);
    const now = clock.now();
    const token = await newToken(tokens, { name: 'ann', role: 'view', expiresInDays: 1, now });
    const other = await newToken(tokens, { name: 'bob', role: 'view', expiresInDays: 3 });
    clock.pass(86_400_000);
    async function audited(who: string) {
      const { entries } = await options.audit.read({ limit: 1000, who });
      return entries.length;
    }

    const answers: Awaited<ReturnType<typeof get>>[] = [];
    for (let index = 0; index < 105; index += 1) {
      answers.push(await get(`/thing/${index}${'x'.repeat(7000)}`, token));
    }
    const again = await get(`/thing/0${'x'.repeat(7000)}`, token);
    const weak = await get('/admin', other);

    expect(answers.map(({ code }) => code)).toEqual([
      ...Array<number>(100).fill(401),
      ...Array<number>(5).fill(429),
    ]);
    expect(answers[104]).toMatchObject({
      detail: 'ann: too many rejected requests; try again in 60 s',
      retryAfter: '60',
    });
    // A repetition needs no line, and a name has no part in the limit of another one.
    expect([again.code, weak.code]).toEqual([401, 403]);
    expect([await audited('ann'), await audited('bob')]).toEqual([100, 1]);
    const { entries } = await options.audit.read({ limit: 1000 });
    expect(Math.max(...entries.map((entry) => JSON.stringify(entry).length))).toBeLessThan(600);
    expect(await metrics.getSingleMetricAsString('skolo_access_limited_total')).toContain(
      'skolo_access_limited_total{limit="rejections"} 5',
    );

    clock.pass(60_000);
    await get('/thing/later', token);
    await get('/thing/later-still', token);
    expect(await audited('ann')).toBe(101);
  });

  it('is rejected once it has expired', async () => {
    const { tokens, get, clock } = await start(withTokens);
    const options = { name: 'ann', role: 'view', expiresInDays: 1, now: clock.now() } as const;
    const token = await newToken(tokens, options);
    clock.pass(86_399_000);
    expect((await get('/view', token)).code).toBe(200);

    clock.pass(1_000);

    expect(await get('/view', token)).toMatchObject({
      code: 401,
      detail: expect.stringMatching(/^expired: token ann expired 2\d{3}-.*; create another$/),
      challenge: 'Bearer realm="rack4", error="invalid_token", error_description="expired"',
    });
  });

  it('is rejected from the moment that it is revoked', async () => {
    const { tokens, get } = await start(withTokens);
    const token = await newToken(tokens, { name: 'ann', role: 'view', expiresInDays: 1 });
    expect((await get('/view', token)).code).toBe(200);

    await revokeToken(tokens, 'ann');

    expect(await get('/view', token)).toMatchObject({
      code: 401,
      challenge: 'Bearer realm="rack4", error="invalid_token", error_description="unknown token"',
    });
  });

  it('of nobody is counted, and appears nowhere', async () => {
    const { tokens, get, rejections, memory } = await start(withTokens);
    await newToken(tokens, { name: 'ann', role: 'view', expiresInDays: 1 });

    const answer = await get('/view', 'hunter2-hunter2-hunter2');

    expect(answer.code).toBe(401);
    expect(await rejections()).toEqual(['skolo_access_rejected_total{reason="unknown"} 1']);
    expect(memory.text()).not.toContain('hunter2');
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  it('cannot be checked while the file is broken: that is our fault, not the caller’s', async () => {
    const { tokens, get, degraded } = await start(withTokens);
    const token = await newToken(tokens, { name: 'ann', role: 'view', expiresInDays: 1 });
    await writeFile(tokens, 'tokens: oops');

    expect(await get('/view', token)).toMatchObject({ code: 503, challenge: undefined });
    expect(degraded.raised.get('token file')).toContain('tokens cannot be checked');

    await writeFile(tokens, 'tokens: []');
    expect((await get('/view', token)).code).toBe(401);
    expect(degraded.raised.size).toBe(0);
  });

  it('is of no use where rack.yaml names no file', async () => {
    const { get } = await start('{}');

    expect(await get('/view', 'skolo_x')).toMatchObject({
      code: 401,
      detail: 'unknown token: rack.yaml does not specify a token file',
    });
  });
});

describe('no token', () => {
  it('is told what to do', async () => {
    const { get, rejections } = await start(withTokens);

    expect(await get('/view')).toMatchObject({
      code: 401,
      detail: expect.stringContaining('skolo token new'),
      challenge: 'Bearer realm="rack4", error_description="no token"',
    });
    expect(await rejections()).toEqual(['skolo_access_rejected_total{reason="none"} 1']);
  });

  it('is told that nobody can sign in, where that is so', async () => {
    const { get } = await start('{}');

    expect((await get('/view')).detail).toContain('sign-in is not configured for this rack');
  });

  it.each(['Basic YW5uOnB3', 'Bearer', 'Bearer a b', 'token'])('is what %j is', async (header) => {
    const { get } = await start(withTokens);

    const answer = await get('/view', undefined, { authorization: header });

    expect(answer.challenge).toContain('error_description="no token"');
  });

  it('is enough to read from a listed network, and for nothing more', async () => {
    const { get } = await start('{ anonymousRead: [127.0.0.0/8] }');

    expect(await get('/view')).toEqual({
      code: 200,
      challenge: undefined,
      name: 'anonymous',
      role: 'view',
      by: 'network',
    });
    expect((await get('/operate')).code).toBe(403);
  });

  it.each(['x-forwarded-for', 'forwarded', 'via'])(
    'is not enough behind a proxy (%s), whose address says nothing about the caller',
    async (header) => {
      const { get } = await start('{ anonymousRead: [127.0.0.0/8] }');

      expect((await get('/view', undefined, { [header]: '127.0.0.1' })).code).toBe(401);
    },
  );

  it('is better than a wrong one: that is rejected from a listed network, too', async () => {
    const { get, tokens } = await start(
      '{ anonymousRead: [127.0.0.0/8], tokens: { file: tokens.yaml } }',
    );
    await newToken(tokens, { name: 'ann', role: 'view', expiresInDays: 1 });

    expect((await get('/view', 'wrong')).code).toBe(401);
  });
});

it('a change of rack.yaml counts from the next request on', async () => {
  const { get, rack, dir } = await start('{}');
  expect((await get('/view')).code).toBe(401);

  rack.rack = testRack(dir, 'access: { anonymousRead: [127.0.0.1] }').rack;

  expect((await get('/view')).code).toBe(200);
});

describe('a Google ID token', () => {
  async function startWithGoogle() {
    const google = await startGoogle();
    const service = await start(
      `{ google: { audience: rack4, certsUrl: "${google.certsUrl}", emails: { Ann@example.com: operate } } }`,
    );
    const seconds = () => Math.floor(service.clock.now() / 1000);
    return { ...service, google, seconds };
  }

  it('opens what the role of its e-mail address may', async () => {
    const { get, google, seconds } = await startWithGoogle();
    const token = google.idToken(seconds());

    expect(await get('/operate', token)).toMatchObject({
      code: 200,
      name: 'ann@example.com',
      role: 'operate',
      by: 'google',
    });
    expect((await get('/admin', token)).code).toBe(403);
    expect(google.requests()).toBe(1);
  });

  it('of somebody who is not listed is rejected', async () => {
    const { get, google, seconds } = await startWithGoogle();

    const answer = await get(
      '/view',
      google.idToken(seconds(), { claims: { email: 'eve@example.com' } }),
    );

    expect(answer).toMatchObject({
      code: 403,
      detail: expect.stringContaining('eve@example.com has no role in this rack'),
    });
  });

  it('shares one limit of the audit log with everybody who is not listed', async () => {
    const { get, google, seconds, options } = await startWithGoogle();

    const codes: number[] = [];
    for (let index = 0; index < 102; index += 1) {
      const claims = { email: `eve-${index}@example.com` };
      codes.push((await get('/view', google.idToken(seconds(), { claims }))).code);
    }

    expect(codes).toEqual([...Array<number>(100).fill(403), 429, 429]);
    expect((await options.audit.read({ limit: 1000 })).entries).toHaveLength(100);
  });

  const verify = 'use an account with a verified e-mail address';
  it.each([
    ['wrong audience', { aud: 'rack5' }],
    ['wrong issuer', { iss: 'https://accounts.example.com' }],
    ['malformed', { email: undefined }],
    ['malformed', { exp: 'tomorrow' }],
    ['e-mail not verified', { email_verified: false }, verify],
    ['e-mail not verified', { email_verified: undefined }, verify],
    ['not valid yet', { iat: 9_000_000_000, exp: 9_000_003_600 }, "check the jumphost's clock"],
  ])(
    'is rejected for: %s %o',
    async (why, claims, remedy = 'request a new token for audience rack4') => {
      const { get, google, seconds } = await startWithGoogle();

      const answer = await get('/view', google.idToken(seconds(), { claims }));

      expect(answer).toMatchObject({
        code: 401,
        detail: `unknown token: Google ID token: ${why}; ${remedy}`,
      });
    },
  );

  it.each([
    ['expired', { iat: -3662, exp: -61 }, 401],
    ['just within the clock’s tolerance', { iat: -3650, exp: -50 }, 200],
    ['not valid yet', { iat: 61, exp: 3600 }, 401],
    ['just within the clock’s tolerance', { iat: 50, exp: 3600 }, 200],
  ])('is %s', async (_why, { iat, exp }, code) => {
    const { get, google, seconds } = await startWithGoogle();
    const claims = { iat: seconds() + iat, exp: seconds() + exp };

    const answer = await get('/view', google.idToken(seconds(), { claims }));

    expect(answer.code).toBe(code);
    if (exp < -60) expect(answer.challenge).toContain('error_description="expired"');
  });

  it('is rejected when it is signed by somebody else', async () => {
    const { get, google, seconds } = await startWithGoogle();
    const token = google.idToken(seconds(), { key: google.forgedKey() });

    const answer = await get('/view', token);

    expect(answer.detail).toContain('bad signature');
  });

  it('is rejected when a claim was changed', async () => {
    const { get, google, seconds } = await startWithGoogle();
    const [header, , signature] = google.idToken(seconds()).split('.');
    const [, claims] = google.idToken(seconds(), { claims: { sub: '2' } }).split('.');

    expect((await get('/view', `${header}.${claims}.${signature}`)).detail).toContain(
      'bad signature',
    );
  });

  it('is rejected without a signature: alg none', async () => {
    const { get, google, seconds } = await startWithGoogle();
    const token = google.idToken(seconds(), { header: { alg: 'none' } });

    expect((await get('/view', token)).code).toBe(401);
    expect((await get('/view', token.replace(/[^.]*$/, ''))).code).toBe(401);
  });

  it('is rejected when it is signed with the public key as a password: alg HS256', async () => {
    const { get, google, seconds } = await startWithGoogle();
    const unsigned = google
      .idToken(seconds(), { header: { alg: 'HS256' } })
      .replace(/\.[^.]*$/, '');
    const pem = google.newest().publicKey.export({ type: 'spki', format: 'pem' });
    const signature = createHmac('sha256', pem).update(unsigned).digest('base64url');

    expect((await get('/view', `${unsigned}.${signature}`)).code).toBe(401);
  });

  it('with a new key is accepted: the keys are fetched again', async () => {
    const { get, google, seconds, clock } = await startWithGoogle();
    await get('/view', google.idToken(seconds()));
    google.rotate();
    clock.pass(61_000);

    expect((await get('/view', google.idToken(seconds()))).code).toBe(200);
    expect(google.requests()).toBe(2);
  });

  it('with an invented key does not make us ask again and again', async () => {
    const { get, google, seconds } = await startWithGoogle();
    const header = { kid: '__proto__' };

    for (let time = 0; time < 5; time += 1) {
      const answer = await get('/view', google.idToken(seconds(), { header }));
      expect(answer.detail).toContain('unknown key');
    }

    expect(google.requests()).toBe(1);
  });

  it('is one question for the keys, however many ask at once', async () => {
    const { get, google, seconds } = await startWithGoogle();
    const token = google.idToken(seconds());

    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/view', token)));

    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([200]));
    expect(google.requests()).toBe(1);
  });

  it('is accepted with the keys kept on disk when Google cannot be reached, also after a restart', async () => {
    const { get, google, seconds, clock, degraded, stateDir, rack, metrics, options } =
      await startWithGoogle();
    const { audit } = options;
    await get('/view', google.idToken(seconds()));
    await google.close();
    clock.pass(25 * 3_600_000);
    const token = google.idToken(Math.floor(Date.now() / 1000));
    clock.setWall(Date.now() + 30_000);

    expect((await get('/view', token)).code).toBe(200);

    metrics.clear();
    const access = new AccessControl({ rack, stateDir, metrics, clock, degraded, audit });
    const parts = await testApp();
    const app = createApp(parts.options, { access, api, handlers });
    expect((await request(app).get('/view').auth(token, { type: 'bearer' })).status).toBe(200);
    await vi.waitFor(() => {
      expect(degraded.raised.get('google sign-in')).toContain(
        'cached keys work for two weeks after they were fetched',
      );
    });
  });

  it('is not accepted with keys that are older than two weeks', async () => {
    const { get, google, seconds, clock } = await startWithGoogle();
    const now = clock.now();
    clock.setWall(now - 15 * 86_400_000);
    await get('/view', google.idToken(seconds()));
    await google.close();
    clock.setWall(now);

    expect((await get('/view', google.idToken(seconds()))).code).toBe(503);
  });

  it('cannot be checked without any keys: that is our fault, not the caller’s', async () => {
    const { get, google, seconds } = await startWithGoogle();
    await google.close();

    expect(await get('/view', google.idToken(seconds()))).toMatchObject({
      code: 503,
      detail: expect.stringContaining('use a token for this rack'),
    });
  });

  it.each([
    { status: 500 },
    { body: '<html>' },
    { body: '{"keys":[{"kid":1}]}' },
    { body: `{"x":"${'y'.repeat(300_000)}"}` },
  ])('is not checked with what is no list of keys: %o', async (answer) => {
    const { get, google, seconds, degraded } = await startWithGoogle();
    google.answerWith(answer);

    expect((await get('/view', google.idToken(seconds()))).code).toBe(503);
    expect(degraded.raised.has('google sign-in')).toBe(true);
  });

  it('is checked with PEM keys as well, the older form of Google’s answer', async () => {
    const { get, google, seconds } = await startWithGoogle();
    const { id, publicKey } = google.newest();
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    google.answerWith({ body: JSON.stringify({ [id]: pem }) });

    expect((await get('/view', google.idToken(seconds()))).code).toBe(200);
  });
});
