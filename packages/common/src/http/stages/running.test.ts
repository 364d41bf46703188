import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { route } from '@skolo/api';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { probes } from '../../health/probes.ts';
import { testApp } from '../../testing/test-app.ts';
import type { AppOptions } from '../options.ts';
import { bindRoutes } from '../routes.ts';
import { expressApp } from '../service-app.ts';
import { Start } from './running.ts';

const text = { answers: { 200: undefined }, types: ['text/plain'], summary: '' } as const;
const api = {
  view: route({ ...text, method: 'get', path: '/v1/view', role: 'view' }),
  open: route({ ...text, method: 'get', path: '/v1/open', role: 'anyone' }),
  change: route({
    ...text,
    method: 'post',
    path: '/v1/change',
    role: 'operate',
    audits: { target: 'self' },
  }),
  signOut: route({
    method: 'delete',
    path: '/v1/view',
    summary: '',
    role: 'view',
    audits: { elsewhere: 'here' },
    answers: { 204: undefined },
  }),
  follow: route({
    method: 'get',
    path: '/v1/events',
    summary: '',
    role: 'view',
    events: { thing: z.string() },
    answers: { 200: undefined },
  }),
};

async function start(given: Partial<AppOptions>) {
  const { options } = await testApp('{ anonymousRead: [127.0.0.0/8] }');
  const say = () => ({ status: 200 as const, body: 'here' });
  const routes = bindRoutes(api, {
    view: say,
    open: say,
    change: say,
    signOut: () => ({ status: 204 }),
    // Ends after its first event.
    follow: () => ({ status: 200, follow: () => () => undefined }),
  });
  const own = probes(options.metrics, () => ({ ready: true, degraded: [] }));
  const { listener } = expressApp({ ...options, ...given }, [...routes, ...own]);
  return async (method: 'get' | 'head' | 'post' | 'delete', path: string) => {
    const { status, headers } = await request(listener)[method](path);
    return [status, headers['retry-after']];
  };
}

const probePaths = ['/healthz', '/readyz', '/metrics?x'];

describe('while a service starts', () => {
  it('a request waits for the end, even for a path that does not exist', async () => {
    const starting = new Start();
    const ask = await start({ start: starting });
    const answers = Promise.all([ask('get', '/v1/view'), ask('get', '/nowhere')]);
    for (const path of probePaths) expect(await ask('get', path)).toEqual([200, undefined]);

    starting.end();

    expect(await answers).toEqual([
      [200, undefined],
      [404, undefined],
    ]);
    expect(await ask('get', '/v1/view')).toEqual([200, undefined]);
  });

  it('and takes longer, a request gets 503', async () => {
    const ask = await start({ start: new Start(50) });

    expect(await ask('get', '/v1/view')).toEqual([503, '5']);
  });

  it('the 257th request gets 503 immediately, until one of the others has left', async () => {
    const starting = new Start(600_000);
    const newResponse = () => Object.assign(new EventEmitter(), { destroyed: false });
    const wait = (response: EventEmitter) => starting.wait(response as unknown as ServerResponse);
    const responses = Array.from({ length: 256 }, newResponse);
    const waiting = responses.map(wait);

    await expect(wait(newResponse())).rejects.toThrow('starting');
    responses[7]?.emit('close');
    await expect(waiting[7]).rejects.toThrow('starting');
    const late = wait(newResponse());
    starting.end();

    waiting.splice(7, 1);
    expect(await Promise.all([...waiting, late])).toHaveLength(256);
  });
});

describe('while a service stops', () => {
  it.each([['/v1/view'], ['/v1/open'], ['/nowhere']])('%s gets 503', async (path) => {
    const ask = await start({ signal: AbortSignal.abort() });

    expect(await ask('get', path)).toEqual([503, '5']);
  });

  it.each(probePaths)('%s is answered', async (path) => {
    const ask = await start({ signal: AbortSignal.abort() });

    expect(await ask('get', path)).toEqual([200, undefined]);
  });
});

describe('while the event loop lags', () => {
  it.each([
    ['get', '/v1/view', 503],
    ['head', '/v1/view', 503],
    ['head', '/v1/events', 200],
    ['get', '/v1/open', 200],
    ['get', '/healthz', 200],
    ['post', '/v1/change', 403],
    ['delete', '/v1/view', 204],
  ] as const)('%s %s gets %i', async (method, path, status) => {
    const ask = await start({ isOverloaded: () => true });

    expect(await ask(method, path)).toEqual([status, status === 503 ? '5' : undefined]);
  });
});
