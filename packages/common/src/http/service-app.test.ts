import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { route } from '@skolo/api';
import type { AuditEntry } from '@skolo/api/audit-log';
import { jsonShare } from '@skolo/base';
import request from 'supertest';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { newToken } from '../access/token-file.ts';
import { testApp } from '../testing/test-app.ts';
import { bodiesInFlight } from './request/bodies-in-flight.ts';
import { HttpProblem } from './response/problem.ts';
import { createApp } from './service-app.ts';

const Thing = z.object({ name: z.string(), size: z.number() });
const api = {
  thing: route({
    method: 'get',
    path: '/v1/things/{name}',
    summary: 'A thing',
    role: 'anyone',
    params: z.object({ name: z.string() }),
    query: z.strictObject({ size: z.coerce.number().int().max(9).default(1) }),
    answers: { 200: Thing },
  }),
  change: route({
    method: 'put',
    path: '/v1/things/{name}',
    summary: 'Changes a thing',
    role: 'operate',
    params: z.object({ name: z.string() }),
    query: z.strictObject({ color: z.string().optional() }),
    body: z.strictObject({
      size: z.number(),
      force: z.boolean().default(false),
      password: z.string().optional(),
      why: z.string().optional(),
    }),
    audits: {
      target: ['params.name'],
      reason: 'body.why',
      input: ['body.size', 'body.force', 'query.color'],
      omits: ['body.password'],
      answer: ['size'],
    },
    answers: { 200: Thing, 202: undefined },
  }),
  sum: route({
    method: 'post',
    path: '/v1/sum',
    summary: 'Adds up',
    role: 'anyone',
    headers: z.object({ 'x-offset': z.coerce.number().max(99).optional() }),
    body: z.array(z.number()),
    mostBodyBytes: 1000,
    audits: { elsewhere: 'nowhere: it changes nothing' },
    answers: { 200: z.object({ sum: z.number() }) },
  }),
  compare: route({
    method: 'post',
    path: '/v1/compare',
    summary: 'Takes long',
    role: 'view',
    limit: 'texts',
    body: z.strictObject({ cost: z.int() }),
    audits: { elsewhere: 'nowhere: it changes nothing' },
    answers: { 204: undefined },
  }),
  broken: route({
    method: 'get',
    path: '/v1/broken',
    summary: 'Fails',
    role: 'anyone',
    answers: { 204: undefined },
  }),
  nobody: route({
    method: 'delete',
    path: '/v1/nobody',
    summary: 'None',
    role: 'anyone',
    audits: { target: 'self' },
    answers: { 204: undefined },
  }),
};

async function start() {
  const parts = await testApp('{ tokens: { file: tokens.yaml } }');
  const file = join(parts.dir, 'tokens.yaml');
  const token = await newToken(file, { name: 'ann', role: 'operate', expiresInDays: 1 });
  const changes: unknown[] = [];
  const app = createApp(parts.options, {
    api,
    handlers: {
      thing: ({ params, query }) => ({
        status: 200,
        body: { name: params.name, size: query.size, inner: 'not in the schema' },
      }),
      change: ({ params, body, caller, from }) => {
        if (body.size > 100) throw new HttpProblem(409, 'too large; choose a smaller size');
        changes.push({ ...params, ...body, who: caller?.name, from });
        if (body.size > 10) return { status: 202 };
        return { status: 200, body: { name: params.name, size: body.size } };
      },
      sum: ({ body, headers }) => ({
        status: 200,
        body: { sum: body.reduce((a, b) => a + b, headers['x-offset'] ?? 0) },
      }),
      compare: ({ body, spend }) => {
        spend(body.cost);
        return { status: 204 };
      },
      broken: async () => {
        throw new Error('https://host/?secret=hunter2 is inside');
      },
      nobody: () => ({ status: 204, headers: { 'x-own': 'header' } }),
    },
  });
  const change = (body: object) =>
    request(app).put('/v1/things/a').auth(token, { type: 'bearer' }).send(body);
  async function audited(): Promise<AuditEntry[]> {
    return (await parts.options.audit.read({ limit: 1000 })).entries.reverse();
  }
  return { ...parts, app, token, change, changes, audited };
}

describe('a request', () => {
  it('reaches its handler with parsed params and query', async () => {
    const { app } = await start();

    const answer = await request(app).get('/v1/things/a%2Fb?size=7');

    expect([answer.status, answer.body]).toEqual([200, { name: 'a/b', size: 7 }]);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-skolo-rack': 'rack4',
    });
    expect(answer.headers).not.toHaveProperty('x-powered-by');
  });

  it('reaches its handler with the headers that the route names', async () => {
    const { app } = await start();

    const answer = await request(app).post('/v1/sum').set('x-offset', '10').send([1]);
    const wrong = await request(app).post('/v1/sum').set('x-offset', '100').send([1]);

    expect(answer.body).toEqual({ sum: 11 });
    expect([wrong.status, wrong.body.detail]).toEqual([400, expect.stringContaining('x-offset')]);
  });

  it('may have an answer without a body, and with headers', async () => {
    const { app } = await start();

    const answer = await request(app).delete('/v1/nobody');

    expect([answer.status, answer.text, answer.headers['x-own']]).toEqual([204, '', 'header']);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['BR', brotliCompressSync],
  ])('may have its body compressed as %s', async (encoding, compress) => {
    const { app } = await start();
    const sent = request(app).post('/v1/sum').type('json').set('content-encoding', encoding);
    sent.write(compress('[1, 2, 3]'));

    expect((await sent).body).toEqual({ sum: 6 });
  });

  it.each([
    [1000, 200],
    [1001, 413],
  ])('with a body of %i bytes in pieces is answered %i', async (size, status) => {
    const { app } = await start();
    const sent = request(app).post('/v1/sum').type('json');
    sent.write(`[${' '.repeat(size - 3)}`);
    sent.write('1]');

    expect((await sent).status).toBe(status);
  });

  it('is answered 503 while other bodies use the memory, and 200 afterwards', async () => {
    const { app } = await start();
    const others = bodiesInFlight.share();
    const sum = () => request(app).post('/v1/sum').send([1]);

    others.hold(jsonShare - 100);
    const busy = await sum();
    others.release();

    expect([busy.status, busy.headers['retry-after']]).toEqual([503, '1']);
    expect((await sum()).body).toEqual({ sum: 1 });
  });

  it('gives its memory back, whatever the answer is', async () => {
    const { app } = await start();
    const all = bodiesInFlight.share();
    onTestFinished(all.release);

    for (const body of ['[1]', '[1', '{}', `[${'1,'.repeat(600)}1]`]) {
      await request(app).post('/v1/sum').type('json').send(body);
    }

    await vi.waitFor(() => all.hold(jsonShare));
  });
});

describe('the request id', () => {
  it('is the caller’s where it is a sane one', async () => {
    const { app, memory } = await start();

    const answer = await request(app).get('/v1/things/a').set('x-request-id', 'from-me.1');

    expect(answer.headers['x-request-id']).toBe('from-me.1');
    expect(memory.lines()).toContainEqual(
      expect.objectContaining({ msg: 'request', requestId: 'from-me.1', path: '/v1/things/a' }),
    );
  });

  it.each(['', 'a b', 'x'.repeat(65), '"><script>'])('is a new one instead of %j', async (id) => {
    const { app } = await start();

    const answer = await request(app).get('/nowhere').set('x-request-id', id);

    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('a problem', () => {
  function problem(status: number, title: string, detail: unknown) {
    return { type: 'about:blank', title, status, detail };
  }

  it('says what is not there', async () => {
    const { app } = await start();

    const answer = await request(app).get('/v1/thing');

    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect([answer.status, answer.body]).toEqual([
      404,
      problem(404, 'Not Found', expect.stringContaining('no such path: /v1/thing;')),
    ]);
  });

  it('lists all that does not fit the schemas', async () => {
    const { app } = await start();

    const answer = await request(app).get('/v1/things/a?size=10&colour=red');

    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      { path: 'query.size', message: expect.stringContaining('<=9') },
      { path: 'query', message: expect.stringContaining('colour') },
    ]);
    expect(answer.body.detail).toMatch(/^query\.size: .*; query: /);
  });

  it.each([
    ['[1, 2', 'line 1, column 6'],
    ['[1,\n 2,\n x]', 'line 3, column 2'],
    ['abc', 'line 1, column 1'],
  ])('says where %j is not JSON', async (body, where) => {
    const { app } = await start();

    const answer = await request(app).post('/v1/sum').type('json').send(body);

    expect(answer.body).toEqual(
      problem(400, 'Bad Request', `the body is not valid JSON: error at ${where}`),
    );
  });

  it('asks for the body that is missing', async () => {
    const { app } = await start();

    const answer = await request(app).post('/v1/sum');

    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].path).toBe('body');
  });

  it.each([
    ['content-type', 'application/x-www-form-urlencoded', 'is application/x-www-form-urlencoded;'],
    ['content-type', 'application/json-seq', 'is application/json-seq;'],
  ])('names what it accepts instead of %s %s', async (header, value, why) => {
    const { app } = await start();

    const answer = await request(app).post('/v1/sum').type('json').set(header, value).send('[1]');

    expect([answer.status, answer.body.detail]).toEqual([415, expect.stringContaining(why)]);
  });

  it('is 400 for a bad escape in the path', async () => {
    const { app } = await start();

    const answer = await request(app).get('/v1/things/%zz');

    expect(answer.body).toEqual(problem(400, 'Bad Request', expect.stringContaining('%25')));
  });

  it('does not show what is inside, but the log does, without secrets', async () => {
    const { app, memory } = await start();

    const answer = await request(app).get('/v1/broken').set('x-request-id', 'r1');

    expect(answer.body).toEqual(
      problem(500, 'Internal Server Error', expect.stringContaining('x-request-id')),
    );
    expect(memory.text()).not.toContain('hunter2');
    expect(memory.lines()).toContainEqual(
      expect.objectContaining({
        msg: 'request failed',
        requestId: 'r1',
        err: expect.objectContaining({ message: 'https://host/ is inside' }),
      }),
    );
  });
});

describe('a change', () => {
  it('is in the audit log before and after', async () => {
    const { change, changes, audited } = await start();

    const body = { size: 3, why: 'it hangs', force: true, password: 'canary' };
    const answer = await change(body).set('x-request-id', 'r1');

    expect([answer.status, answer.body]).toEqual([200, { name: 'a', size: 3 }]);
    expect(changes).toEqual([
      expect.objectContaining({ size: 3, password: 'canary', who: 'ann', from: '127.0.0.1' }),
    ]);
    const entry = {
      time: expect.any(String),
      who: 'ann',
      role: 'operate',
      from: '127.0.0.1',
      what: 'change',
      target: 'a',
      input: { size: 3, force: true },
      why: 'it hangs',
      requestId: 'r1',
    };
    expect(await audited()).toEqual([
      { ...entry, outcome: 'begun' },
      { ...entry, outcome: 'done', answer: { size: 3 } },
    ]);
  });

  it.each([
    [11, 202, 'accepted'],
    [101, 409, 'rejected: too large; choose a smaller size'],
  ])('of size %i is answered %i, and recorded as %j', async (size, status, outcome) => {
    const { change, audited } = await start();

    const answer = await change({ size });

    expect(answer.status).toBe(status);
    expect((await audited()).map((entry) => entry.outcome)).toEqual(['begun', outcome]);
  });

  it('is not made when it cannot be recorded', async () => {
    const { change, changes, stateDir, options } = await start();
    await mkdir(join(stateDir, 'audit'));
    const month = new Date().toISOString().slice(0, 7);
    await symlink('/dev/full', join(stateDir, 'audit', `${month}.jsonl`));
    expect(options.audit).toBeDefined();

    const answer = await change({ size: 3 });

    expect(answer.status).toBe(503);
    expect(answer.body.detail).toContain(
      'changes are rejected, because the audit log cannot be written: the disk is full',
    );
    expect(changes).toEqual([]);
  });
});

it('a caller who has used up what others need, too, is rejected before the body is read', async () => {
  const { app, dir, clock, metrics } = await start();
  const tokens = join(dir, 'tokens.yaml');
  const compare = async (name: string) => {
    const token = await newToken(tokens, { name, role: 'view', expiresInDays: 1 });
    return (body: string) =>
      request(app).post('/v1/compare').auth(token, { type: 'bearer' }).type('json').send(body);
  };
  const [eve, bob] = [await compare('eve'), await compare('bob')];

  expect((await eve('{"cost": 1000}')).status).toBe(204);
  const rejected = await eve('{not even JSON');

  expect([rejected.status, rejected.headers['retry-after']]).toEqual([429, '351']);
  expect(rejected.body.detail).toMatch(/^eve: too many configurations were requested; try again/);
  expect(await metrics.metrics()).toContain('skolo_access_limited_total{limit="texts"} 1');
  expect((await bob('{"cost": 0}')).status).toBe(204);
  clock.pass(360_000);
  expect((await eve('{"cost": 0}')).status).toBe(204);
});

describe('/v1/audit', () => {
  it('gives pages of changes to the role operate', async () => {
    const { app, token } = await start();
    for (const name of ['a', 'b']) {
      const change = request(app).put(`/v1/things/${name}`).auth(token, { type: 'bearer' });
      await change.send({ size: 5, password: 'hunter2' });
    }
    const get = (query: string) =>
      request(app).get(`/v1/audit?${query}`).auth(token, { type: 'bearer' });

    const first = await get('limit=1');
    const second = await get(`limit=1&who=ann&before=${first.body.older.before}`);

    expect(first.body).toEqual({
      entries: [expect.objectContaining({ who: 'ann', target: 'b', outcome: 'done' })],
      older: { before: expect.stringMatching(/^\d{4}-\d{2}\.\d+$/), time: expect.any(String) },
      skipped: 0,
    });
    expect(second.body.entries).toMatchObject([{ target: 'b', outcome: 'begun' }]);
    expect((await get('text=a&limit=10')).text).not.toContain('hunter2');
    expect((await get('before=../x')).status).toBe(400);
  });
});

it('http_request_duration_seconds counts by pattern, not by path', async () => {
  const { app, metrics } = await start();

  await request(app).get('/v1/things/a');
  await request(app).get('/v1/things/b');
  await request(app).put('/v1/things/b');
  await request(app).get('/v1/broken');
  await request(app).get('/secret/path');

  const counts = (await metrics.metrics()).match(/^http_request_duration_seconds_count.*/gm);
  expect(counts).toEqual([
    'http_request_duration_seconds_count{method="GET",route="/v1/things/:name",code="200"} 2',
    'http_request_duration_seconds_count{method="PUT",route="/v1/things/:name",code="401"} 1',
    'http_request_duration_seconds_count{method="GET",route="/v1/broken",code="500"} 1',
    'http_request_duration_seconds_count{method="GET",route="none",code="404"} 1',
  ]);
});
