import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { listen } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newServer } from '../server.ts';
import { type AnswerMalformed, mostHeaders } from './strict-requests.ts';

/** A server that answers with the last header that it was given. */
async function start(answerMalformed?: AnswerMalformed, target = '/') {
  const server = newServer({
    handler: ({ rawHeaders }, response) => response.end(`last: ${rawHeaders.slice(-2).join('=')}`),
    answerMalformed,
  });
  const port = await listen(server);
  return async (...headers: string[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.write([`GET ${target} HTTP/1.1`, ...headers, '', ''].join('\r\n'));
    return text(socket);
  };
}

function others(count: number): string[] {
  return Array.from({ length: count }, () => 'a:b');
}

describe('requests that are sent ahead', () => {
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

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

describe('a server', () => {
  it('passes on a request with as many headers as there may be, the last one included', async () => {
    const send = await start();

    const answer = await send(
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

      const answer = await send('Host: x', ...others(count - 1), 'X-Forwarded-For: 10.0.0.1');

      expect(answer).toMatch(/^HTTP\/1\.1 431 .*application\/problem\+json/s);
      expect(answer).toMatch(/more than 100 headers; send fewer|headers are too large; send fewer/);
    },
  );

  it('rejects headers of more than 16 KiB in the same form', async () => {
    const send = await start();

    const answer = await send('Host: x', `Long: ${'x'.repeat(17_000)}`);

    expect(answer).toMatch(/^HTTP\/1\.1 431 .*"detail":"the headers are too large/s);
  });

  it.each(['Host', 'Authorization'])('rejects a second header %s, and hangs up', async (name) => {
    const send = await start();

    const answer = await send('Host: x', `${name}: x`, `${name.toLowerCase()}: x`);

    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain(`more than one ${name.toLowerCase()} header; send only one`);
  });

  it.each(['*', 'http://['])('rejects the target %s: Express cannot parse it', async (target) => {
    const send = await start(undefined, target);

    expect(await send('Host: x')).toMatch(/^HTTP\/1\.1 400 .*the request target is not a path/s);
  });

  it('rejects a request without Host', async () => {
    const send = await start();

    expect(await send('Connection: close')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('rejects as it is told to', async () => {
    const send = await start(({ status }) => ({ headers: { own: 'yes' }, body: `no: ${status}` }));

    expect(await send('Host: x', 'Host: y')).toMatch(/^HTTP\/1\.1 400 .*own: yes.*no: 400$/s);
    expect(await send('no header')).toMatch(/^HTTP\/1\.1 400 .*own: yes.*no: 400$/s);
  });
});
