import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { ClientAnswer, ClientRequest } from './calls.ts';
import { type RouteAnswer, type RouteRequest, type RouteSpec, route } from './route.ts';

const plain = route({
  method: 'get',
  path: '/v1/things',
  summary: 'All things',
  role: 'anyone',
  answers: { 200: z.object({ things: z.array(z.string()) }) },
});

const rich = route({
  method: 'put',
  path: '/v1/things/{name}/{port}',
  summary: 'Change a thing',
  role: 'operate',
  params: z.object({ name: z.string(), port: z.coerce.number().int() }),
  query: z.object({ dryRun: z.enum(['true', 'false']).default('false'), limit: z.coerce.number() }),
  body: z.object({ why: z.string(), offSeconds: z.number().default(10) }),
  audits: {
    target: ['params.name', 'params.port'],
    reason: 'body.why',
    input: ['query.dryRun', 'query.limit', 'body.offSeconds'],
  },
  answers: {
    200: z.object({ at: z.string().transform((text) => new Date(text)) }),
    204: undefined,
    409: z.object({ holder: z.string() }),
  },
});

describe('route', () => {
  it('gives the specification back', () => {
    expect(rich.path).toBe('/v1/things/{name}/{port}');
    expectTypeOf(rich.method).toEqualTypeOf<'put'>();
    expectTypeOf(rich.role).toEqualTypeOf<'operate'>();
  });

  const answers = { 200: z.string() };
  it.each<[string, RouteSpec, string]>([
    [
      'a parameter without a schema',
      { method: 'get', path: '/v1/{a}', summary: '', role: 'anyone', answers },
      'GET /v1/{a}: the path contains {a}, but params contains no parameters',
    ],
    [
      'a schema without its parameter',
      {
        method: 'get',
        path: '/v1/{a}',
        summary: '',
        role: 'anyone',
        params: z.object({ a: z.string(), b: z.string() }),
        answers,
      },
      'GET /v1/{a}: the path contains {a}, but params contains {a}, {b}',
    ],
    [
      'a get with a body',
      { method: 'get', path: '/v1', summary: '', role: 'anyone', body: z.string(), answers },
      'GET /v1: a get request must not have a body',
    ],
    [
      'no answer when all is well',
      { method: 'post', path: '/v1', summary: '', role: 'anyone', answers: { 404: z.string() } },
      'POST /v1: none of the responses is 2xx',
    ],
    [
      'a change that does not say what is audited',
      { method: 'post', path: '/v1', summary: '', role: 'anyone', answers },
      "POST /v1: `audits` must list the call's inputs that the audit log records",
    ],
    [
      'a get that is audited',
      {
        method: 'get',
        path: '/v1',
        summary: '',
        role: 'anyone',
        audits: { target: 'self' },
        answers,
      },
      'GET /v1: a GET request does not change anything, so remove `audits`',
    ],
    [
      'an input that is neither audited nor left out',
      {
        method: 'post',
        path: '/v1',
        summary: '',
        role: 'anyone',
        body: z.object({ name: z.string(), force: z.boolean() }),
        audits: { target: ['body.name'] },
        answers,
      },
      'POST /v1: `audits` does not name body.force; add it to `audits` or `omits`',
    ],
    [
      'an audited input that is not there',
      {
        method: 'post',
        path: '/v1',
        summary: '',
        role: 'anyone',
        audits: { target: ['query.name'] },
        answers,
      },
      'POST /v1: `audits` names query.name, which is not an input',
    ],
    [
      'an audited field that no answer has',
      {
        method: 'post',
        path: '/v1',
        summary: '',
        role: 'anyone',
        audits: { target: 'self', answer: ['id'] },
        answers: { 200: z.object({ name: z.string() }), 409: z.object({ id: z.string() }) },
      },
      'POST /v1: `audits` names id, which is not in any response',
    ],
  ])('rejects %s', (_, spec, message) => {
    expect(() => route(spec)).toThrow(new TypeError(message));
  });
});

// Checked by the compiler: each of these lines fails the build if a type is wrong.
describe('the types of a route', () => {
  it('are, for its handler, the outputs of its schemas', () => {
    expectTypeOf<RouteRequest<typeof rich>['params']>().toEqualTypeOf<{
      name: string;
      port: number;
    }>();
    expectTypeOf<RouteRequest<typeof rich>['query']>().toEqualTypeOf<{
      dryRun: 'true' | 'false';
      limit: number;
    }>();
    expectTypeOf<RouteRequest<typeof rich>['body']>().toEqualTypeOf<{
      why: string;
      offSeconds: number;
    }>();
    expectTypeOf<RouteRequest<typeof plain>['params']>().toEqualTypeOf<Record<never, never>>();
    expectTypeOf<RouteRequest<typeof plain>['body']>().toEqualTypeOf<undefined>();
  });

  it('tie the body of an answer to its status', () => {
    type Answer = RouteAnswer<typeof rich>;
    type Body<Status> = Extract<Answer, { status: Status }>['body'];
    expectTypeOf<Answer['status']>().toEqualTypeOf<200 | 204 | 409>();
    expectTypeOf<Body<200>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<Body<204>>().toEqualTypeOf<undefined>();
    expectTypeOf<Body<409>>().toEqualTypeOf<{ holder: string }>();
  });

  it('reject an answer with the body of another status', () => {
    // @ts-expect-error 409 has another body
    const wrong: RouteAnswer<typeof rich> = { status: 409, body: { at: '' } };
    expect(wrong).toBeDefined();
  });

  it('make parts of a request optional, and answers the outputs of 2xx schemas', () => {
    type Request = ClientRequest<typeof rich>;
    expectTypeOf<Request['params']>().toEqualTypeOf<{ name: string; port: number }>();
    expectTypeOf<Request['query']>().toEqualTypeOf<{
      dryRun?: 'true' | 'false' | undefined;
      limit: number;
    }>();
    expectTypeOf<Request['body']>().toEqualTypeOf<{
      why: string;
      offSeconds?: number | undefined;
    }>();
    expectTypeOf<ClientAnswer<typeof rich>>().toEqualTypeOf<{ at: Date } | undefined>();
    expectTypeOf<ClientAnswer<typeof plain>>().toEqualTypeOf<{ things: string[] }>();
    expectTypeOf<keyof ClientRequest<typeof plain>>().toEqualTypeOf<
      'signal' | 'timeoutMs' | 'mostBytes'
    >();
  });
});
