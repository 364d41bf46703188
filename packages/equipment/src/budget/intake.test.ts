/** What one connection may use while it receives, with a real socket and artificial CPU time. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DeviceError } from '../errors.ts';
import { startTcpServer } from '../testing/tcp-server.ts';
import { Intake } from './intake.ts';

/** Milliseconds of CPU time that each call of a listener takes. */
let costMs = 0;
let usedMs = 0;

beforeEach(() => {
  [costMs, usedMs] = [0, 0];
  vi.spyOn(process, 'cpuUsage').mockImplementation((before = { user: 0, system: 0 }) => ({
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

    await vi.waitFor(() => expect(length).toBe(1), 5000);
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
});
