import { route } from '@skolo/api';
import request from 'supertest';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { testApp } from '../testing/test-app.ts';
import { httpApp } from './app.ts';
import { openApiRoute } from './open-api.ts';
import { bindRoutes } from './routes.ts';
import { expressApp } from './service-app.ts';

const api = {
  thing: route({
    method: 'get',
    path: '/v1/things/{name}',
    summary: 'A thing',
    role: 'anyone',
    params: z.object({ name: z.string() }),
    query: z.strictObject({ color: z.array(z.string()).optional() }),
    answers: { 200: z.object({ name: z.string(), colors: z.int() }) },
  }),
  followThings: route({
    method: 'get',
    path: '/v1/things/events',
    summary: 'Things as they change',
    role: 'anyone',
    events: { thing: z.object({ name: z.string() }) },
    answers: { 200: undefined },
  }),
  file: route({
    method: 'get',
    path: '/v1/file',
    summary: 'Text or bytes',
    role: 'view',
    query: z.strictObject({ raw: z.string().optional() }),
    types: ['text/plain; charset=utf-8', 'application/octet-stream'],
    answers: { 200: undefined },
  }),
  anonymous: route({
    method: 'post',
    path: '/v1/things/{name}',
    summary: 'Takes a note without sign-in',
    role: 'anyone',
    params: z.object({ name: z.string() }),
    body: z.strictObject({ text: z.string() }),
    audits: { elsewhere: 'nowhere: it changes nothing' },
    answers: { 202: undefined },
  }),
};

async function start(newApp = expressApp) {
  const { options } = await testApp('{ anonymousRead: [127.0.0.1] }');
  const stopping = new AbortController();
  const followers = { count: 0 };
  const routes = bindRoutes(api, {
    thing: ({ params, query }) => ({
      status: 200,
      body: { name: params.name, colors: query.color?.length ?? 0 },
    }),
    followThings: () => ({
      status: 200,
      follow: (send) => {
        followers.count += 1;
        send('thing', { name: 'a' });
        return () => {
          followers.count -= 1;
        };
      },
    }),
    file: ({ query }) =>
      query.raw === undefined
        ? { status: 200, body: 'text' }
        : { status: 200, type: 'application/octet-stream' as const, body: Buffer.from([0, 255]) },
    anonymous: () => ({ status: 202 }),
  });
  const { listener } = newApp({ ...options, signal: stopping.signal }, [
    ...openApiRoute({ title: 'test', version: '1' }, api),
    ...routes,
  ]);
  return { app: request(listener), stopping, followers, log: options.log };
}

describe.each([
  ['an app of Express', expressApp],
  ['an app with only its router', httpApp],
])('%s', (_name, newApp) => {
  it('answers with JSON, text and bytes', async () => {
    const { app } = await start(newApp);

    const thing = await app.get('/v1/things/a%2Fb?color=red&color=blue');
    const text = await app.get('/v1/file');
    const bytes = await app.get('/v1/file?raw=1');

    expect(thing.body).toEqual({ name: 'a/b', colors: 2 });
    expect(thing.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect([text.headers['content-type'], text.text]).toEqual([
      'text/plain; charset=utf-8',
      'text',
    ]);
    expect([bytes.type, bytes.body]).toEqual(['application/octet-stream', Buffer.from([0, 255])]);
  });

  it.each([
    ['get', '/v1/thing', 404],
    ['get', '/V1/file', 404],
    ['get', '/v1/file/', 200],
    ['delete', '/v1/things/events', 405, 'GET, HEAD, OPTIONS, POST'],
    ['delete', '/v1/file', 405, 'GET, HEAD, OPTIONS'],
    ['options', '/v1/things/events', 204, 'GET, HEAD, OPTIONS, POST'],
    // The path of another route, which has no POST: this one takes it, and wants a body.
    ['post', '/v1/things/events', 400],
    ['head', '/v1/file', 200],
    ['head', '/v1/things/events', 200],
  ] as const)('answers %s %s with %i', async (method, path, status, allow = undefined) => {
    const { app } = await start(newApp);

    const answer = await app[method](path);

    expect([answer.status, answer.headers.allow]).toEqual([status, allow]);
  });

  // A child of pino took a quarter of the time of a request.
  it('makes no log for a request that logs nothing', async () => {
    const { app, log } = await start(newApp);
    log.level = 'info';
    const child = vi.spyOn(log, 'child');

    await app.get('/v1/file');

    expect(child).not.toHaveBeenCalled();
  });

  it('sends events until the service stops, and follows nothing afterwards', async () => {
    const { app, stopping, followers } = await start(newApp);

    const answer = app.get('/v1/things/events').then(({ type, text }) => [type, text]);
    await expect.poll(() => followers.count).toBe(1);
    stopping.abort();

    expect(await answer).toEqual(['text/event-stream', 'event: thing\ndata: {"name":"a"}\n\n']);
    await expect.poll(() => followers.count).toBe(0);
  });

  it('describes all of its routes', async () => {
    const { app } = await start(newApp);

    const { paths } = (await app.get('/openapi.json')).body;

    expect(Object.keys(paths['/v1/file'].get.responses['200'].content)).toEqual([
      'text/plain',
      'application/octet-stream',
    ]);
    expect(paths['/v1/things/events'].get.responses['200'].content).toHaveProperty([
      'text/event-stream',
    ]);
  });
});
