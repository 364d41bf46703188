import { once } from 'node:events';
import type { RequestListener, ServerOptions, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { listen, sendText } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AnswerMalformed, mostHeaders } from './request/strict-requests.ts';
import { newServer } from './server.ts';

/** A server that answers with the last header that it was given, and what it sends for these lines. */
async function start({
  answerMalformed,
  serverOptions,
}: {
  answerMalformed?: AnswerMalformed;
  serverOptions?: ServerOptions;
} = {}) {
  const handler: RequestListener = ({ rawHeaders, method }, response) =>
    method === 'GET' && response.end(`last: ${rawHeaders.slice(-2).join('=')}`);
  const port = await listen(newServer({ handler, answerMalformed, serverOptions }));
  return (...lines: string[]) => sendText(port, [...lines, '', ''].join('\r\n'));
}

const get = 'GET / HTTP/1.1';
const others = (count: number) => Array.from({ length: count }, () => 'a:b');

describe('requests that are sent ahead', () => {
  const request = `${get}\r\nHost: x\r\n\r\n`;

  /** The test answers requests. */
  async function startSlow(sent: string) {
    const responses: ServerResponse[] = [];
    const server = newServer({ handler: (_, response) => void responses.push(response) });
    const socket = connect(await listen(server), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined).write(sent);
    return { responses, socket };
  }

  it('are answered in turn', async () => {
    const { responses, socket } = await startSlow(request.repeat(3));
    const answer = text(socket);

    for (const count of [1, 2, 3]) {
      await expect.poll(() => responses.length).toBe(count);
      if (count === 3) socket.end();
      responses.at(-1)?.end(`number ${count}`);
    }

    expect(await answer).toMatch(/number 1.*number 2.*number 3$/s);
  });

  it('and are too many close the connection', async () => {
    const { responses, socket } = await startSlow(request.repeat(1600));

    await once(socket.resume(), 'close');

    expect(responses).toHaveLength(1);
  });
});

it.each([
  [{}, [5000, 60_000, 65_000]],
  [{ keepAliveTimeout: 1 }, [5000, 60_000, 1]],
])('nobody may hold a connection for ever: %j', (serverOptions, limits) => {
  const server = newServer({ handler: () => undefined, serverOptions });

  const { headersTimeout, requestTimeout, keepAliveTimeout } = server;
  expect([headersTimeout, requestTimeout, keepAliveTimeout]).toEqual(limits);
});

// Node checks for both, whatever the headers are.
it.each(['Host: x', 'Host: x\r\nContent-Length: 5\r\n\r\n{'])(
  'a request whose headers or body are late gets 408: %j',
  async (sent) => {
    const late = { headersTimeout: 1, requestTimeout: 1, connectionsCheckingInterval: 10 };
    const port = await listen(newServer({ handler: () => undefined, serverOptions: late }));

    const answer = await sendText(port, `POST / HTTP/1.1\r\n${sent}`);

    expect(answer).toMatch(/^HTTP\/1\.1 408 .*send it faster/s);
  },
);

it('passes on a request with as many headers as there may be, the last one included', async () => {
  const send = await start();

  const answer = await send(
    get,
    'Host: x',
    'Connection: close',
    ...others(mostHeaders - 3),
    'Last: 1',
  );

  expect(answer).toMatch(/^HTTP\/1\.1 200 .*last: Last=1$/s);
});

// 3500 are within Node's usual limit of 16 KiB.
it.each([mostHeaders, 999, 1000, 1032, 2000, 3500])(
  'rejects a request with %i headers and one more, and hangs up',
  async (count) => {
    const send = await start();

    const answer = await send(get, 'Host: x', ...others(count - 1), 'X-Forwarded-For: 10.0.0.1');

    expect(answer).toMatch(/^HTTP\/1\.1 431 .*application\/problem\+json/s);
    expect(answer).toMatch(/x-request-id: [0-9a-f-]{36}\r\n/);
    expect(answer).toMatch(/more than 100 headers; send fewer|headers are too large; send fewer/);
  },
);

// A token and a long URL need 8 KiB.
it.each([
  [8000, 200],
  [8192, 431],
  [17_000, 431],
])('%i bytes of headers are %i', async (bytes, status) => {
  const send = await start();

  const answer = await send(get, 'Host: x', 'Connection: close', `Long: ${'x'.repeat(bytes)}`);

  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

it.each([
  [['Host: x', 'Authorization: x', 'authorization: x'], 'more than one authorization header;'],
  [['Connection: close'], ''],
])('rejects %j, and hangs up', async (lines, why) => {
  const send = await start();

  const answer = await send(get, ...lines);

  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain(why);
});

it('rejects as it is told to', async () => {
  const send = await start({
    answerMalformed: ({ status }) => ({ headers: { own: 'yes' }, body: `no: ${status}` }),
  });

  for (const lines of [[get, 'Host: x', 'Host: y'], ['no header'], ['CONNECT x HTTP/1.1']]) {
    expect(await send(...lines)).toMatch(/^HTTP\/1\.1 400 .*own: yes.*no: 400$/s);
  }
});
