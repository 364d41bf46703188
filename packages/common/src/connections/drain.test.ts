import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { drainable } from './drain.ts';
import { listen } from './listen.ts';

const get = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
const hour = 3_600_000;

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A server whose requests the test answers itself. */
async function start({ idleMs = 1 } = {}) {
  const server = createServer({ keepAliveTimeout: hour });
  const { drain } = drainable(server, { idleMs });
  const port = await listen(server, { port: 0, host: '127.0.0.1', flag: '--port' });
  async function client(): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    sockets.push(socket);
    await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
    return socket;
  }
  async function request(socket: Socket): Promise<ServerResponse> {
    socket.write(get);
    const [, response] = await once(server, 'request');
    return response;
  }
  return { server, port, drain, client, request };
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

describe('drain', () => {
  it('closes connections that stay idle, used or not, after a moment', async () => {
    const { drain, client, request } = await start();
    const [used, unused] = [await client(), await client()];
    (await request(used)).end('done');
    await once(used, 'data');
    const ended = Promise.all([once(used, 'close'), once(unused, 'close')]);

    await drain(hour);

    await ended;
  });

  it('finishes a request under way and then closes its connection', async () => {
    const { server, drain, client, request } = await start();
    const socket = await client();
    const response = await request(socket);

    const drained = drain(hour);
    while (server.listening) await nextTurn();
    response.end('done');
    const answer = await readAll(socket);
    await drained;

    expect(answer).toContain('Connection: close');
    expect(answer).toContain('done');
  });

  it('finishes an answer that had begun and then closes its connection', async () => {
    const { drain, client, request } = await start();
    const socket = await client();
    const response = await request(socket);
    response.write('begun ');
    await once(socket, 'readable');

    const drained = drain(hour);
    response.end('done');
    const answer = await readAll(socket);
    await drained;

    expect(answer).toContain('keep-alive');
    expect(answer).toContain('done');
  });

  it('loses no request that comes meanwhile on an open connection, used or not', async () => {
    const { server, drain, client, request } = await start({ idleMs: hour });
    const [used, unused] = [await client(), await client()];
    (await request(used)).end('done');
    await once(used, 'data');

    const drained = drain(hour);
    while (server.listening) await nextTurn();
    for (const socket of [used, unused]) {
      (await request(socket)).end('done');
      expect(await readAll(socket)).toMatch(/Connection: close.*done/s);
    }
    await drained;
  });

  it('loses no request that has arrived when the time of idle connections ends', async () => {
    const { drain, client, request, server } = await start({ idleMs: 300 });
    const used = await client();
    (await request(used)).end('done');
    await once(used, 'data');
    server.once('request', (_, response) => response.end('again'));

    const drained = drain(hour);
    // The request waits in the kernel, and this process is busy until the time is over. Timers run before the next poll.
    setTimeout(() => {
      setImmediate(() => {
        used.write(get);
        const until = performance.now() + 350;
        while (performance.now() < until);
      });
    }, 5);

    expect(await readAll(used)).toMatch(/Connection: close.*again/s);
    await drained;
  });

  it('answers a client whose connection was not accepted yet', async () => {
    const { drain, server, port } = await start();
    server.on('request', (_, response) => response.end('done'));
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    sockets.push(socket);
    socket.write(get);
    // The kernel has made the connection; this process has not looked for it yet.
    const until = performance.now() + 50;
    while (performance.now() < until);

    const drained = drain(hour);

    expect(await readAll(socket)).toContain('done');
    await drained;
  });

  it('sends nobody to a new connection while these would be reset', async () => {
    const { server, drain, client, request } = await start();
    const response = await request(await client());

    const drained = drain(hour);
    const whileListening = response.shouldKeepAlive;
    while (server.listening) await nextTurn();

    expect([whileListening, response.shouldKeepAlive]).toEqual([true, false]);
    response.end();
    await drained;
  });

  it('accepts nobody any more', async () => {
    const { server, drain } = await start();

    await drain(hour);

    expect(server.listening).toBe(false);
  });

  it('cuts off what is not finished in time', async () => {
    const { drain, client, request } = await start();
    const socket = await client();
    await request(socket);
    const ended = once(socket, 'close');

    await drain(1);

    await ended;
  });
});
