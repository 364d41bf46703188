import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ConnectionLimits,
  type Ends,
  firstToClose,
  type Owner,
  type Stage,
} from './connection-limits.ts';
import { listen } from './listen.ts';

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const unfinished = 'GET / HTTP/1.1\r\nHost: x\r\n';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** The test answers requests itself. Each address is a machine with three connections. */
async function start({ most = 100, headersTimeout = 60_000 } = {}) {
  const closed: (string | undefined)[] = [];
  const later = new Map<string, Owner>();
  const server = createServer({ headersTimeout });
  const limits = new ConnectionLimits({
    ownerOf: ({ remote }: Ends) => ({ kind: 'machine', machine: remote, most: 3 }),
    laterOwnerOf: async ({ remote }) => later.get(remote),
    onClosed: ({ machine }) => closed.push(machine),
    most,
  });
  limits.guard(server);
  const port = await listen(server, { port: 0, host: '127.0.0.1', flag: '--port' });
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });

  async function open(localAddress = '127.0.1.1', sent = unfinished): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    cleanUps.push(() => socket.destroy());
    await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
    socket.write(sent);
    return socket;
  }
  /** A connection whose request is not answered yet. */
  async function busy(
    localAddress?: string,
  ): Promise<{ socket: Socket; response: ServerResponse }> {
    const asked = once(server, 'request');
    const socket = await open(localAddress, get);
    const [, response] = await asked;
    return { socket, response };
  }
  /** A connection whose request was answered. */
  async function idle(localAddress?: string): Promise<Socket> {
    const { socket, response } = await busy(localAddress);
    response.end('done');
    await Promise.all([once(socket, 'data'), once(response, 'close')]);
    return socket;
  }
  return { server, limits, later, closed, open, busy, idle };
}

async function isClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket.resume(), 'close');
}

describe('beyond the limit of its owner', () => {
  it('the oldest connection without a request is closed, and nobody else’s', async () => {
    const { open, closed } = await start();
    const neighbour = await open('127.0.1.2');
    const [first, ...others] = [await open(), await open(), await open()];

    await open();

    await isClosed(first ?? expect.unreachable());
    expect(closed).toEqual(['127.0.1.1']);
    expect([neighbour, ...others].map(({ closed }) => closed)).toEqual([false, false, false]);
  });

  it('a request that is not complete goes before a connection that is idle', async () => {
    const { open, idle, server } = await start();
    const used = await idle();
    const asked = once(server, 'request');
    const uploads = await open(
      '127.0.1.1',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbe',
    );
    await asked;
    await open();

    await open();

    await isClosed(uploads);
    expect(used.closed).toBe(false);
  });

  it('the connection that is idle longest goes before one that is busy', async () => {
    const { open, busy, idle } = await start();
    const { socket: works } = await busy();
    const [first, second] = [await idle(), await idle()];

    await open();

    await isClosed(first);
    expect([works, second].map(({ closed }) => closed)).toEqual([false, false]);
  });

  it('whoever comes is served, even if all are busy: the longest request ends', async () => {
    const { open, busy } = await start();
    const first = await busy();
    const others = [await busy(), await busy()];

    const latest = await open();

    await isClosed(first.socket);
    expect([latest, ...others.map(({ socket }) => socket)].map((one) => one.closed)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('a connection that is kept counts as busy', async () => {
    const { open, limits, server } = await start({ headersTimeout: 1 });
    const opened = once(server, 'connection');
    const kept = await open('127.0.1.1', '');
    limits.exempt((await opened)[0]);

    const late = await open('127.0.1.1', '');

    await isClosed(late);
    for (let i = 0; i < 4; i += 1) await open();
    expect(kept.closed).toBe(false);
  });

  it('connections that are gone do not count', async () => {
    const { open, closed, server } = await start();
    for (let i = 0; i < 6; i += 1) {
      const socket = await open();
      socket.destroy();
      await expect.poll(() => connectionsOf(server)).toBe(0);
    }

    expect(closed).toEqual([]);
  });

  it('those of an owner that shows later count as its own', async () => {
    const { open, later, closed } = await start();
    for (const last of [2, 3, 4, 5]) {
      later.set(`127.0.1.${last}`, { kind: 'machine', machine: 'rpi-1', most: 3 });
    }

    const sockets = [];
    for (const last of [2, 3, 4, 5]) sockets.push(await open(`127.0.1.${last}`));

    await isClosed(sockets[0] ?? expect.unreachable());
    expect(closed).toEqual(['rpi-1']);
  });
});

function connectionsOf(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

it('beyond the limit of all, the oldest connection without a request is closed, whoever has it', async () => {
  const { open, busy, closed } = await start({ most: 3 });
  const { socket: works } = await busy('127.0.1.1');
  const waits = await open('127.0.1.2');
  await open('127.0.1.3');

  await open('127.0.1.4');

  await isClosed(waits);
  expect(closed).toEqual(['127.0.1.2']);
  expect(works.closed).toBe(false);
});

describe('a header that does not arrive', () => {
  it('ends its connection, also one byte at a time', async () => {
    const { open } = await start({ headersTimeout: 1 });
    const socket = await open('127.0.1.1', '');
    const drops = setInterval(() => socket.write('G'), 10);

    await isClosed(socket);
    clearInterval(drops);
  });

  it('does not end one with a request', async () => {
    const { open, busy } = await start({ headersTimeout: 1 });
    const { socket, response } = await busy();
    await isClosed(await open('127.0.1.2', ''));

    response.end('done');
    socket.end();

    expect(await text(socket)).toContain('done');
  });
});

const order: readonly Stage[] = ['waiting', 'idle', 'busy'];
const connection = fc.record({
  stage: fc.constantFrom(...order),
  since: fc.integer({ min: 0, max: 20 }),
});

it('firstToClose is the oldest of the lowest stage, and never the latest', () => {
  fc.assert(
    fc.property(fc.array(connection, { maxLength: 12 }), connection, (others, latest) => {
      const found = firstToClose([...others, latest], latest, ({ stage }) => stage);

      const rank = ({ stage, since }: typeof latest) => order.indexOf(stage) * 100 + since;
      expect(found).toBe([...others].sort((a, b) => rank(a) - rank(b))[0]);
    }),
    runs(1000),
  );
});
