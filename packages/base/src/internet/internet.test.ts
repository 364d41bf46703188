import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { collectGarbage, listen, serveExampleTest, startProxy } from '@skolo/base/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { request } from '../request.ts';
import { internetFetch } from './fetch.ts';

const names = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY', 'no_proxy', 'NO_PROXY'];
beforeEach(() => {
  for (const name of names) vi.stubEnv(name, '');
});
afterEach(() => void vi.unstubAllEnvs());

const secret = 'p%40ss';

async function throughProxy(answer?: (socket: Socket) => void) {
  const seen: { path: string; headers: IncomingHttpHeaders }[] = [];
  const port = await serveExampleTest(({ url = '', headers }, response) => {
    seen.push({ path: url, headers });
    if (url === '/moved') response.writeHead(302, { location: 'https://b.example.test/there' });
    response.end(`answer to ${url}`);
  });
  const proxy = await startProxy(() => port, answer);
  vi.stubEnv('HTTPS_PROXY', `http://ann:${secret}@${proxy.host}`);
  vi.stubEnv('http_proxy', proxy.host);
  return { ...proxy, seen };
}

/** Both ways to make a request, which share the connection. */
const ways = {
  fetch: async (url: string, timeoutMs = 120_000) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await internetFetch(url, { signal }).catch((error) => {
      throw error.cause ?? error;
    });
    return await answer.text();
  },
  request: async (url: string, timeoutMs = 120_000) =>
    (await request(url, { timeoutMs, internet: true })).text,
};

describe.each(Object.entries(ways))('%s', (kind, ask) => {
  it('sends CONNECT with the password, and nothing for excluded hosts', async () => {
    const { connects, signIns } = await throughProxy();
    const port = await listen(createServer((_, response) => void response.end('direct')));

    expect(await ask('https://a.example.test/one?q=1')).toBe('answer to /one?q=1');
    expect(await ask(`http://127.0.0.1:${port}/`)).toBe('direct');
    expect(await ask('http://plain.example.test:81/two')).toBe('from the proxy');

    expect(connects).toEqual([
      'CONNECT a.example.test:443',
      'GET http://plain.example.test:81/two',
    ]);
    expect(signIns).toEqual([`Basic ${Buffer.from('ann:p@ss').toString('base64')}`, undefined]);
  });

  it.each<[string, (socket: Socket) => void, RegExp]>([
    ['407', (s) => s.end('HTTP/1.1 407 s3cret\r\n\r\n'), /: 407 .*; check the user and password/],
    [
      '403',
      (s) => s.end('HTTP/1.1 403 No\r\n\r\n'),
      /a\.example\.test:443: 403 Forbidden; allow this server/,
    ],
    ['garbage', (s) => s.end('SSH-2.0-OpenSSH_9.2\r\n'), /the response is not HTTP/],
    ['nothing', (s) => s.end(), /the connection was interrupted/],
    ['half a line', (s) => s.end('HTTP/1.1 20'), /interrupted/],
    ['a reset', (s) => s.resetAndDestroy(), /interrupted/],
    ['another success', (s) => s.end('HTTP/1.1 204 Yes\r\n\r\n'), /: 204 No Content/],
    [
      'endless headers',
      (s) => {
        s.write('HTTP/1.1 200 OK\r\n');
        const more = () => s.write(`x: ${'y'.repeat(9000)}\r\n`) || true;
        s.on('drain', more);
        while (s.writableLength < 100_000 && more());
      },
      /the headers of the response are too large/,
    ],
  ])('names a proxy that sends %s, without its password', async (_, answer, why) => {
    const { host, connects } = await throughProxy(answer);

    const error = await ask('https://a.example.test/').then(String, (thrown) => thrown);

    expect(error.message).toMatch(why);
    expect(error.message).toContain(`the proxy ${host}`);
    expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/p@ss|p%40ss|s3cret/);
    expect(connects).toHaveLength(1);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['CONNECT', () => undefined],
    ['TLS', (s) => void s.write('HTTP/1.1 200 OK\r\n\r\n')],
  ])('ends with its time limit when the proxy hangs at %s', async (_, answer) => {
    const open = new Set<Socket>();
    await throughProxy((socket) => {
      open.add(socket);
      socket.on('end', () => open.delete(socket));
      answer(socket.resume());
    });

    const error = await ask('https://a.example.test/', 300).then(String, (thrown) => thrown);

    if (kind === 'request') expect(error.message).toContain('(through the proxy 127.0.0.1:');
    await vi.waitFor(() => expect(open.size).toBe(0));
  });

  it('names a proxy that is not there', async () => {
    vi.stubEnv('https_proxy', 'http://127.0.0.1:1');

    const error = await ask('https://a.example.test/').then(String, (thrown) => thrown);

    expect(error.message).toContain('the proxy 127.0.0.1:1: connection refused');
  });
});

it.each(['directly', 'through a proxy'])(
  'ends a body with the signal after a garbage collection, %s',
  async (how) => {
    const stall = (_: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(200).write('x');
    const stop = new AbortController();
    let url = '';
    if (how === 'directly') url = `http://127.0.0.1:${await listen(createServer(stall))}/`;
    else {
      const port = await serveExampleTest(stall);
      const proxy = await startProxy(() => port);
      vi.stubEnv('HTTPS_PROXY', `http://${proxy.host}`);
      url = 'https://a.example.test/';
    }

    const answer = await internetFetch(url, { signal: stop.signal });
    await collectGarbage();
    const body = answer.text();
    await collectGarbage();
    stop.abort();

    await expect(body).rejects.toThrow(/abort/i);
  },
  30_000,
);

it('sends the type and the bytes of a form through a proxy, as directly', async () => {
  const bodies: unknown[] = [];
  const port = await serveExampleTest(async (request, response) => {
    bodies.push([request.method, request.headers['content-type'], await text(request)]);
    response.end();
  });
  const proxy = await startProxy(() => port);
  vi.stubEnv('HTTPS_PROXY', `http://${proxy.host}`);
  const body = new URLSearchParams({ grant: 'é=&' });

  await internetFetch('https://a.example.test/', { method: 'post', body });
  const headers = { 'content-type': 'text/own' };
  await internetFetch('https://a.example.test/', { method: 'PUT', body: 'x', headers });

  const form = 'application/x-www-form-urlencoded;charset=UTF-8';
  expect(bodies).toEqual([
    ['POST', form, 'grant=%C3%A9%3D%26'],
    ['PUT', 'text/own', 'x'],
  ]);
});

it('decides again for each redirect, and sends credentials only to the first host', async () => {
  const { connects, seen } = await throughProxy();
  const direct = await listen(
    createServer((_, response) => {
      response.writeHead(302, { location: 'https://a.example.test/moved' }).end();
    }),
  );

  const answer = await internetFetch(`http://127.0.0.1:${direct}/`, {
    headers: { authorization: 'Bearer s3cret', accept: 'text/plain' },
  });

  expect(await answer.text()).toBe('answer to /there');
  expect(connects).toEqual(['CONNECT a.example.test:443', 'CONNECT b.example.test:443']);
  expect(seen.map(({ headers }) => [headers.authorization, headers.accept])).toEqual([
    [undefined, 'text/plain'],
    [undefined, 'text/plain'],
  ]);
  await expect(
    internetFetch('https://a.example.test/moved', { redirect: 'error' }),
  ).rejects.toThrow('unexpected redirect');
});
