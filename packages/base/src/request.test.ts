import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { request, withAnswer } from './request.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${portOf(server.address())}`;
}

async function serveTcp(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${portOf(server.address())}`;
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('no TCP');
  return address.port;
}

describe('a request', () => {
  it('sends what it is given and reads the answer, whatever its status', async () => {
    const url = await serve(async (asked, answer) => {
      const pieces = await asked.setEncoding('utf8').toArray();
      const { method, headers } = asked;
      answer.writeHead(418, { 'x-own': 'yes' });
      answer.end(JSON.stringify({ method, flavor: headers['metadata-flavor'], body: pieces[0] }));
    });

    const answer = await request(url, {
      method: 'POST',
      headers: { 'metadata-flavor': 'Google' },
      body: 'ä',
      timeoutMs: 120_000,
    });

    expect(answer).toMatchObject({ status: 418, headers: { 'x-own': 'yes' } });
    expect(JSON.parse(answer.text)).toEqual({ method: 'POST', flavor: 'Google', body: 'ä' });
  });

  it('comes from the local address that was given', async () => {
    const url = await serve(({ socket }, answer) => answer.end(socket.remoteAddress));
    const options = { timeoutMs: 120_000, localAddress: '127.0.0.9' };

    expect((await request(url, options)).text).toBe('127.0.0.9');
  });

  it.each<[string, (socket: Socket) => void]>([
    ['says nothing', () => undefined],
    [
      'stops in the middle',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'),
    ],
  ])('fails when the server %s', async (_what, onSocket) => {
    const url = await serveTcp(onSocket);

    await expect(request(url, { timeoutMs: 200 })).rejects.toMatchObject({
      name: 'Unreachable',
      message: expect.stringMatching(/no response within 0.2 s/),
    });
  });

  it.each<[string, (socket: Socket) => void, RegExp]>([
    ['hangs up', (socket) => socket.destroy(), /: .+/],
    [
      'hangs up in the middle',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'),
      /: .+/,
    ],
    ['speaks no HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), /: .+/],
  ])('fails when the server %s', async (_what, onSocket, message) => {
    const url = await serveTcp(onSocket);

    await expect(request(url, { timeoutMs: 120_000 })).rejects.toMatchObject({
      name: 'Unreachable',
      message: expect.stringMatching(message),
    });
  });

  it('reports that the port is closed', async () => {
    await expect(request('http://127.0.0.1:1/x', { timeoutMs: 120_000 })).rejects.toMatchObject({
      message: 'http://127.0.0.1:1: connection refused',
    });
  });

  it('reads no more than it may', async () => {
    const url = await serve((_, answer) => {
      answer.end('x'.repeat(2000));
    });

    await expect(request(url, { timeoutMs: 120_000, mostBytes: 1000 })).rejects.toMatchObject({
      message: 'the response is larger than 1000 bytes',
    });
  });

  it('reads a response that comes in single bytes', async () => {
    const url = await serve((_, answer) => {
      for (const char of 'x'.repeat(20_000)) answer.write(char);
      answer.end();
    });

    expect((await request(url, { timeoutMs: 120_000 })).text).toBe('x'.repeat(20_000));
  });

  it('ends with the reason of the signal', async () => {
    const controller = new AbortController();
    const url = await serve(() => controller.abort(new Error('enough')));

    await expect(request(url, { timeoutMs: 120_000, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    await expect(request(url, { timeoutMs: 120_000, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
  });

  it('throws what its reader throws', async () => {
    const url = await serve((_, answer) => answer.end('x'));
    const read = () => Promise.reject(new RangeError('not that'));

    await expect(withAnswer(url, { timeoutMs: 120_000 }, read)).rejects.toThrow(RangeError);
  });
});
