import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { route, type SendEvent } from '@skolo/api';
import { listen } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { testApp } from '../../testing/test-app.ts';
import { httpApp } from '../app.ts';
import { bindRoutes } from '../routes.ts';

const api = {
  names: route({
    method: 'get',
    path: '/v1/names',
    summary: 'Names',
    role: 'anyone',
    query: z.object({ count: z.coerce.number() }),
    answers: { 200: z.object({ names: z.array(z.string()) }) },
  }),
  follow: route({
    method: 'get',
    path: '/v1/events',
    summary: 'Names as they come',
    role: 'anyone',
    events: { name: z.object({ name: z.string() }) },
    answers: { 200: undefined },
  }),
};

it('packs a large answer for those who accept it', async () => {
  const { ask } = await start();

  const large = await ask('/v1/names?count=2000', 'gzip, br');
  const small = await ask('/v1/names?count=2', 'gzip, br');
  const plain = await ask('/v1/names?count=2000');

  expect(large.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
  expect(Number(large.headers['content-length'])).toBeLessThan(1000);
  expect(await textOf(large.pipe(createGunzip()))).toBe(await textOf(plain));
  expect(small.headers).not.toHaveProperty('content-encoding');
  expect(plain.headers).not.toHaveProperty('content-encoding');
  small.resume();
});

it('packs a stream, and holds no event back', async () => {
  const { ask, follow } = await start();
  const sent: ((name: string) => void)[] = [];
  follow.on = (send) => sent.push((name) => send('name', { name }));

  const answer = await ask('/v1/events', 'gzip');
  const events = answer.pipe(createGunzip())[Symbol.asyncIterator]();
  for (const name of ['a', 'b', 'c']) {
    sent[0]?.(name);
    // The next is sent when this one is here.
    const { value } = await events.next();
    expect(String(value)).toBe(`event: name\ndata: {"name":"${name}"}\n\n`);
  }

  expect(answer.headers['content-encoding']).toBe('gzip');
  answer.destroy();
});

it('ends a stream with the service, also when another event comes', async () => {
  const { ask, follow, stopping } = await start();
  const sent: ((name: string) => void)[] = [];
  follow.on = (send) => sent.push((name) => send('name', { name }));
  const answer = await ask('/v1/events', 'gzip');
  const closed = new Promise((resolve) => answer.on('error', () => undefined).on('close', resolve));

  stopping.abort();
  sent[0]?.('late');

  await closed;
});

type Send = SendEvent<(typeof api.follow)['events']>;

async function start() {
  const { options } = await testApp();
  const stopping = new AbortController();
  const { signal } = stopping;
  const follow = { on: (_send: Send): unknown => undefined };
  const routes = bindRoutes(api, {
    names: ({ query }) => ({
      status: 200,
      body: { names: Array.from({ length: query.count }, () => 'rpi') },
    }),
    follow: () => ({
      status: 200,
      follow: (send) => {
        follow.on(send);
        return () => undefined;
      },
    }),
  });
  const { listener } = httpApp({ ...options, signal, compresses: true }, routes);
  const port = await listen(createServer(listener));
  async function ask(path: string, accepted?: string): Promise<IncomingMessage> {
    const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
    const [answer] = await once(get({ port, path, headers }), 'response');
    return answer;
  }
  return { ask, follow, stopping };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const piece of stream) text += String(piece);
  return text;
}
