import { once } from 'node:events';
import { connect } from 'node:net';
import { listen } from '@skolo/base/testing';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { hookNames } from './hooks.ts';
import { machinePartWith, phone, recordedHooks, viewWith } from './testing/views.ts';

function start(view = () => viewWith()) {
  const { calls, errors, create } = recordedHooks(view);
  const server = create();
  const get = (path: string) => request(server).get(path);
  const post = (path: string, body: string) => request(server).post(path).type('json').send(body);
  return { server, calls, errors, get, post };
}

describe('createHookServer', () => {
  it('answers get_state and get_dimensions from what it was given', async () => {
    const { post, calls } = start(() => viewWith({ devices: [phone()] }));

    const state = await post('/get_state', '{"running_time":3,"maintenance":"old"}');
    const dimensions = await post('/get_dimensions', '{"id":["rpi-1"],"pool":["Skia"]}');

    expect(state).toMatchObject({ status: 200, body: { running_time: 3, sk_rack: 'rack4' } });
    expect(state.body).not.toHaveProperty('maintenance');
    expect(dimensions).toMatchObject({
      status: 200,
      body: { id: ['rpi-1'], pool: ['Skia'], device_type: ['walleye'] },
    });
    expect(calls).toEqual(['get_state true', 'get_dimensions true']);
  });

  it('gives the size of the cache', async () => {
    const machinePart = machinePartWith(
      '{ kind: rpi, identity: bots, swarming: { isolatedCacheBytes: 1024 } }',
    );
    const known = await start(() => viewWith({ machinePart })).get('/get_settings');
    const unknown = await start(() => viewWith({ machinePart: undefined })).get('/get_settings');

    expect(known.body).toEqual({ caches: { isolated: { size: 1024 } } });
    expect(unknown.body).toEqual({ caches: { isolated: { size: 8589934592 } } });
  });

  it('reports tasks, with the id where it is one', async () => {
    const { get, calls } = start();

    await get('/on_before_task');
    await get('/on_before_task?task_id=5f1e2d3c4b5a6910');
    await get('/on_before_task?task_id=%0Anonsense');
    await get('/on_after_task?failure=False&internal_failure=False');
    await get('/on_after_task?failure=True&internal_failure=False');
    await get('/on_after_task?failure=True&internal_failure=True');

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
    const { server, get, post } = start();
    const isPost = ['get_state', 'get_dimensions'].includes(name);
    const path = `/${name}`;

    const right = await (isPost ? post(path, '{}') : get(path));
    const wrong = await (isPost ? get(path) : post(path, '{}'));
    const head = await request(server).head(path);

    expect([right.status, wrong.status, head.status]).toEqual([200, 405, 405]);
    expect(wrong.headers.allow).toContain(isPost ? 'POST' : 'GET');
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

  it.each([
    ['/healthz', 200],
    ['/nothing', 404],
    ['//get_settings', 404],
    ['/get_settings/', 404],
  ])('responds to %s with %i', async (path, status) => {
    await start().get(path).expect(status);
  });

  it.each([
    ['', 'but is empty'],
    ['{"a":', 'is not valid JSON'],
    ['[1]', 'but is not an object'],
    ['"text"', 'but is not an object'],
    ['null', 'but is not an object'],
    [`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 'nested too deeply'],
  ])('rejects a body that is no dict: %.20s', async (body, why) => {
    const { post, calls, errors } = start();

    const answer = await post('/get_state', body);

    expect(answer.body).toMatchObject({ status: 400, detail: expect.stringContaining(why) });
    expect(calls).toEqual(['get_state false']);
    expect(errors).toEqual([]);
  });

  it('gives back a state with names that mean something to JavaScript', async () => {
    const { post } = start();

    const { text } = await post('/get_state', '{"__proto__":{"a":1},"toString":"b"}');

    expect(text).toContain('"__proto__":{"a":1},"toString":"b"');
  });

  it('answers with an error, and goes on', async () => {
    let isBroken = true;
    const { post, calls, errors } = start(() => {
      if (isBroken) throw new Error('a fault of our own');
      return viewWith();
    });

    const failed = await post('/get_state', '{}');
    isBroken = false;

    expect(failed.status).toBe(500);
    expect(failed.text).not.toContain('a fault of our own');
    expect(errors).toHaveLength(1);
    await post('/get_state', '{}').expect(200);
    expect(calls).toEqual(['get_state false', 'get_state true']);
  });

  it.each([
    ['rack4.example.com', 403],
    ['192.168.1.101:11000', 403],
    ['127.0.0.1:11000', 200],
    ['LOCALHOST', 200],
  ])('responds as %s with %i', async (host, status) => {
    const { get, calls } = start();

    await get('/on_after_task').set('host', host).expect(status);
    expect(calls.includes('after, succeeded')).toBe(status === 200);
  });

  it('is none the worse for callers that go away or speak nonsense', async () => {
    const { server, calls, errors } = start();
    const port = await listen(server);

    for (const text of [
      'POST /get_state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"a"',
      'nonsense\r\n\r\n',
      'GET /get_settings HTTP/1.1\r\n\r\n',
      'GET /on_after_task HTTP/1.0\r\n\r\n',
      'GET http://127.0.0.1/on_after_task HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      await once(socket, 'connect');
      socket.end(text);
      await once(socket, 'close');
    }

    await request(server).get('/healthz').expect(200);
    expect(calls.filter((call) => call.startsWith('after'))).toEqual([]);
    expect(errors).toEqual([]);
  });
});
