/** What one connection may use while it receives, with a real socket and artificial CPU time. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { pause } from '@skolo/base';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DeviceError } from '../errors.ts';
import { startTcpServer } from '../testing/tcp-server.ts';
import { Intake } from './intake.ts';

/** Milliseconds of CPU time that each call of a listener takes. */
let costMs = 0;
let usedMs = 0;

beforeEach(() => {
  [costMs, usedMs] = [0, 0];
  vi.spyOn(process, 'threadCpuUsage').mockImplementation((before = { user: 0, system: 0 }) => ({
    user: usedMs * 1000 - before.user,
    system: 0,
  }));
  onTestFinished(() => void vi.restoreAllMocks());
});

async function receiving(serve: (socket: Socket) => void) {
  const { port } = await startTcpServer(serve);
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const { promise: ended, resolve } = Promise.withResolvers<DeviceError>();
  const intake = new Intake('switch-1', socket, (why) => {
    resolve(why);
    socket.destroy();
  });
  socket.on('data', () => {
    usedMs += costMs;
  });
  return { socket, intake, ended };
}

describe('a connection', () => {
  it('may use more CPU time for more output', async () => {
    costMs = 61_000;
    let length = 0;
    const { socket, intake } = await receiving((peer) => peer.write('x'));
    socket.on('data', (bytes) => {
      length += bytes.length;
      intake.deliver(1000 * 16 * 1024);
    });

    await vi.waitFor(() => expect(length).toBe(1));
    expect(socket.destroyed).toBe(false);
  });

  it('ends when it has used a minute of CPU time', async () => {
    costMs = 61_000;
    const { ended } = await receiving((peer) => peer.write('x'));

    expect((await ended).message).toBe('switch-1: requires more than 60 s of CPU time');
  });

  it('ends when it sends megabytes that are no output', async () => {
    const { ended } = await receiving((peer) => peer.write(Buffer.alloc(8_000_000)));

    expect((await ended).message).toBe('switch-1: sends too much besides its output');
  });

  it('is not read while it does not read', async () => {
    let sent = 0;
    const { socket, intake } = await receiving((peer) => {
      const send = () => {
        while (sent < 64_000_000 && peer.write(Buffer.alloc(64_000))) sent += 64_000;
      };
      peer.on('drain', send);
      send();
    });
    socket.on('data', (bytes) => {
      intake.deliver(bytes.length);
      socket.write(bytes);
    });

    await vi.waitFor(async () => {
      const before = socket.bytesRead;
      await pause(100);
      expect(before).toBeGreaterThan(0);
      expect(socket.bytesRead).toBe(before);
    });

    expect(socket.writableLength).toBeLessThan(1_000_000);
  });

  it('is read again when it has read', async () => {
    const answer = Buffer.alloc(4_000_000);
    const { socket, intake } = await receiving((peer) => {
      peer.write(answer);
      setTimeout(() => peer.resume(), 100);
    });
    socket.on('data', (bytes) => {
      intake.deliver(bytes.length);
      socket.write(bytes);
    });

    await vi.waitFor(() => expect(socket.bytesRead).toBe(answer.length));
  });

  it('is read once in each turn of the event loop', async () => {
    const { socket, intake } = await receiving((peer) => peer.write(Buffer.alloc(4_000_000)));
    let turn = 0;
    const count = () => {
      turn += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    onTestFinished(() => clearImmediate(next));
    const turns: number[] = [];
    socket.on('data', (bytes) => {
      intake.deliver(bytes.length);
      turns.push(turn);
    });

    await vi.waitFor(() => expect(socket.bytesRead).toBe(4_000_000));

    expect(turns).toEqual([...new Set(turns)]);
  });

  it('may use half of a processor', async () => {
    costMs = 20;
    let chunks = 0;
    const { socket, intake } = await receiving((peer) => peer.write(Buffer.alloc(1_000_000)));
    const before = performance.now();
    socket.on('data', (bytes) => {
      intake.deliver(bytes.length);
      chunks += 1;
    });

    await vi.waitFor(() => expect(socket.bytesRead).toBe(1_000_000));

    // The last chunk may still be followed by a pause.
    expect(performance.now() - before).toBeGreaterThan((chunks - 2) * costMs);
  });
});
