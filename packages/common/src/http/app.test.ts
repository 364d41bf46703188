import { createServer } from 'node:http';
import { route } from '@skolo/api';
import { listen } from '@skolo/base/testing';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { testApp } from '../testing/test-app.ts';
import { lightApp } from './light-app.ts';
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
  const port = await listen(createServer(listener));
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  return { ask, stopping, followers, log: options.log };
}

describe.each([
  ['an app of Express', expressApp],
  ['an app with only its router', lightApp],
])('%s', (_name, newApp) => {
  it('answers with JSON, text and bytes', async () => {
    const { ask } = await start(newApp);

    const thing = await ask('/v1/things/a%2Fb?color=red&color=blue');
    const text = await ask('/v1/file');
    const bytes = await ask('/v1/file?raw=1');

    expect(await thing.json()).toEqual({ name: 'a/b', colors: 2 });
    expect(thing.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect([text.headers.get('content-type'), await text.text()]).toEqual([
      'text/plain; charset=utf-8',
      'text',
    ]);
    expect([bytes.headers.get('content-type'), await bytes.arrayBuffer()]).toEqual([
      'application/octet-stream',
      new Uint8Array([0, 255]).buffer,
    ]);
  });

  it.each([
    ['GET', '/v1/thing', 404, null],
    ['GET', '/V1/file', 404, null],
    ['GET', '/v1/file/', 200, null],
    ['DELETE', '/v1/things/events', 405, 'GET, HEAD, OPTIONS, POST'],
    ['DELETE', '/v1/file', 405, 'GET, HEAD, OPTIONS'],
    ['OPTIONS', '/v1/things/events', 204, 'GET, HEAD, OPTIONS, POST'],
    // The path of another route, which has no POST: this one takes it, and wants a body.
    ['POST', '/v1/things/events', 400, null],
    ['HEAD', '/v1/file', 200, null],
    ['HEAD', '/v1/things/events', 200, null],
  ])('answers %s %s with %i', async (method, path, status, allow) => {
    const { ask } = await start(newApp);

    const answer = await ask(path, { method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow]);
  });

  // A child of pino took a quarter of the time of a request.
  it('makes no log for a request that logs nothing', async () => {
    const { ask, log } = await start(newApp);
    log.level = 'info';
    const child = vi.spyOn(log, 'child');

    await ask('/v1/file');

    expect(child).not.toHaveBeenCalled();
  });

  it('sends events until the service stops, and follows nothing afterwards', async () => {
    const { ask, stopping, followers } = await start(newApp);

    const answer = await ask('/v1/things/events');
    const body = answer.text();
    await expect.poll(() => followers.count).toBe(1);
    stopping.abort();

    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await body).toBe('event: thing\ndata: {"name":"a"}\n\n');
    await expect.poll(() => followers.count).toBe(0);
  });

  it('describes all of its routes', async () => {
    const { ask } = await start(newApp);

    const { paths } = (await (await ask('/openapi.json')).json()) as {
      paths: Record<string, { get: { responses: Record<string, { content: object }> } }>;
    };

    expect(Object.keys(paths['/v1/file']?.get.responses['200']?.content ?? {})).toEqual([
      'text/plain',
      'application/octet-stream',
    ]);
    expect(paths['/v1/things/events']?.get.responses['200']?.content).toHaveProperty([
      'text/event-stream',
    ]);
  });
});
