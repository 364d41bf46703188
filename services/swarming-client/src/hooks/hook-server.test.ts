import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { listen } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { hookNames } from './hooks.ts';
import { machinePartWith, phone, recordedHooks, viewWith } from './testing/views.ts';

async function start(view = () => viewWith()) {
  const { calls, errors, create } = recordedHooks(view);
  const port = await listen(create());
  return { port, calls, errors, ask: (path: string, more?: Ask) => ask(port, path, more) };
}

interface Ask {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
}

async function ask(port: number, path: string, { method, body, headers }: Ask = {}) {
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
      connection: 'close',
    },
  });
  asked.on('error', () => undefined);
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8');
  for await (const piece of response) text += piece;
  return {
    status: response.statusCode,
    headers: response.headers,
    text,
    json: text === '' ? undefined : JSON.parse(text),
  };
}

describe('createHookServer', () => {
  it('answers get_state and get_dimensions from what it was given', async () => {
    const { ask, calls } = await start(() => viewWith({ devices: [phone()] }));

    const state = await ask('/get_state', { body: '{"running_time":3,"maintenance":"old"}' });
    const dimensions = await ask('/get_dimensions', { body: '{"id":["rpi-1"],"pool":["Skia"]}' });

    expect(state).toMatchObject({ status: 200, json: { running_time: 3, sk_rack: 'rack4' } });
    expect(state.json).not.toHaveProperty('maintenance');
    expect(dimensions).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'x-request-id': expect.any(String),
      },
      json: { id: ['rpi-1'], pool: ['Skia'], device_type: ['walleye'] },
    });
    expect(calls).toEqual(['get_state true', 'get_dimensions true']);
  });

  it('gives the size of the cache', async () => {
    const machinePart = machinePartWith(
      '{ kind: rpi, identity: bots, swarming: { isolatedCacheBytes: 1024 } }',
    );
    const known = await start(() => viewWith({ machinePart }));
    const unknown = await start(() => viewWith({ machinePart: undefined }));

    expect((await known.ask('/get_settings')).json).toEqual({
      caches: { isolated: { size: 1024 } },
    });
    expect((await unknown.ask('/get_settings')).json).toEqual({
      caches: { isolated: { size: 8589934592 } },
    });
  });

  it('reports tasks, with the id where it is one', async () => {
    const { ask, calls } = await start();

    await ask('/on_before_task');
    await ask('/on_before_task?task_id=5f1e2d3c4b5a6910');
    await ask('/on_before_task?task_id=%0Anonsense');
    await ask('/on_after_task?failure=False&internal_failure=False');
    await ask('/on_after_task?failure=True&internal_failure=False');
    await ask('/on_after_task?failure=True&internal_failure=True');

    expect(calls.filter((call) => !call.endsWith('true'))).toEqual([
      'before undefined',
      'before 5f1e2d3c4b5a6910',
      'before undefined',
      'after, succeeded',
      'after, failed',
      'after, internal-failure',
    ]);
  });

  it.each(hookNames)('serves %s, and only in its way', async (name) => {
    const { ask } = await start();
    const isPost = ['get_state', 'get_dimensions'].includes(name);

    const right = await ask(`/${name}`, isPost ? { body: '{}' } : {});
    const wrong = await ask(`/${name}`, isPost ? {} : { method: 'POST' });
    const head = await ask(`/${name}`, { method: 'HEAD' });

    expect(right.status).toBe(200);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.allow).toContain(isPost ? 'POST' : 'GET');
    expect(wrong.json.detail).toContain(isPost ? 'POST' : 'GET');
    expect(head.status).toBe(405);
  });

  it('has all the hooks that the bot has', () => {
    expect(hookNames.toSorted()).toEqual([
      'get_dimensions',
      'get_settings',
      'get_state',
      'on_after_poll',
      'on_after_task',
      'on_before_poll',
      'on_before_task',
      'on_bot_idle',
      'on_bot_shutdown',
      'on_bot_startup',
      'on_handshake',
      'setup_bot',
    ]);
  });

  it('works', async () => {
    const { ask } = await start();

    expect((await ask('/healthz')).status).toBe(200);
    expect((await ask('/nothing')).status).toBe(404);
    expect((await ask('//get_settings')).status).toBe(404);
    expect((await ask('/get_settings/')).status).toBe(404);
    expect((await ask('http://127.0.0.1/get_settings')).status).toBe(404);
  });

  it.each([
    ['', 'but is empty'],
    ['{"a":', 'is not valid JSON'],
    ['[1]', 'but is not an object'],
    ['"text"', 'but is not an object'],
    ['null', 'but is not an object'],
    [`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 'nested too deeply'],
  ])('rejects a body that is no dict: %.20s', async (body, why) => {
    const { ask, calls, errors } = await start();

    const answer = await ask('/get_state', { body });

    expect(answer).toMatchObject({
      status: 400,
      headers: { 'content-type': 'application/problem+json; charset=utf-8' },
      json: { status: 400, detail: expect.stringContaining(why) },
    });
    expect(calls).toEqual(['get_state false']);
    expect(errors).toEqual([]);
  });

  it('gives back a state with names that mean something to JavaScript', async () => {
    const { ask } = await start();

    const { text } = await ask('/get_state', { body: '{"__proto__":{"a":1},"toString":"b"}' });

    expect(text).toContain('"__proto__":{"a":1},"toString":"b"');
  });

  it('answers with an error, and goes on', async () => {
    let isBroken = true;
    const { ask, calls, errors } = await start(() => {
      if (isBroken) throw new Error('a fault of our own');
      return viewWith();
    });

    const failed = await ask('/get_state', { body: '{}' });
    isBroken = false;

    expect(failed.status).toBe(500);
    expect(failed.text).not.toContain('a fault of our own');
    expect(errors).toHaveLength(1);
    expect((await ask('/get_state', { body: '{}' })).status).toBe(200);
    expect(calls).toEqual(['get_state false', 'get_state true']);
  });

  it.each([
    ['rack4.example.com'],
    ['192.168.1.101:11000'],
    ['127.0.0.1.example.com'],
    ['localhost.example.com:11000'],
    ['169.254.169.254'],
  ])('does not respond as %s', async (host) => {
    const { ask, calls } = await start();

    expect((await ask('/on_after_task', { headers: { host } })).status).toBe(403);
    expect(calls).toEqual([]);
  });

  it.each(['127.0.0.1:11000', 'localhost', 'LOCALHOST:1', '[::1]:11000', '127.1.2.3'])(
    'answers as %s',
    async (host) => {
      const { ask } = await start();

      expect((await ask('/get_settings', { headers: { host } })).status).toBe(200);
    },
  );

  it('is none the worse for callers that go away or speak nonsense', async () => {
    const { port, ask, calls, errors } = await start();

    for (const text of [
      'POST /get_state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"a"',
      'nonsense\r\n\r\n',
      'GET /get_settings HTTP/1.1\r\n\r\n',
      'GET /on_after_task HTTP/1.0\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      await once(socket, 'connect');
      socket.end(text);
      await once(socket, 'close');
    }

    expect((await ask('/healthz')).status).toBe(200);
    expect(calls.filter((call) => call.startsWith('after'))).toEqual([]);
    expect(errors).toEqual([]);
  });
});
