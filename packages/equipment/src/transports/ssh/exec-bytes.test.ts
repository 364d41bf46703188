/** Output of commands as bytes, into a stream, with data on their standard input. */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { DeviceRejected, DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import { failsWith, openCommands, openServer, sshdTarget } from '../testing/sessions.ts';
import { shareSshd } from '../testing/sshd.ts';
import { soon } from '../testing/targets.ts';

const signal = soon();
const mebibyte = 1024 * 1024;

const shared = shareSshd();

const openSshd = async () => openCommands(sshdTarget(await shared()));

describe.skipIf(lacks('sshd'))("bytes of a command, from OpenSSH's server", () => {
  it('are what they are', async () => {
    const session = await openSshd();

    const result = await session.execBytes('printf "\\000\\377\\r\\n"; echo no >&2; exit 4', {
      signal,
    });

    const stdout = Buffer.from([0, 255, 13, 10]);
    expect(result).toEqual({ stdout, stderr: 'no\n', status: 4, size: 4 });
  });

  it('may be asked for with input', async () => {
    const session = await openSshd();
    const input = Buffer.alloc(3 * mebibyte, 'abcd\0');

    const { stdout, status } = await session.execBytes('cat', { signal, input });

    expect(stdout.equals(input)).toBe(true);
    expect(status).toBe(0);
  });

  it('may go to a file, and be many', async () => {
    const session = await openSshd();
    const file = join(await tempDir(), 'output');
    const command = 'yes 0123456789abcde | head -c 67108864';

    const result = await session.execBytes(command, {
      signal,
      timeoutMs: 60_000,
      to: createWriteStream(file),
    });

    expect(result).toEqual({
      stdout: Buffer.alloc(0),
      stderr: '',
      status: 0,
      size: 64 * mebibyte,
    });
    const wanted = Buffer.alloc(64 * mebibyte, '0123456789abcde\n');
    const [seen, expected] = [await readFile(file), wanted].map((bytes) =>
      createHash('sha256').update(bytes).digest('hex'),
    );
    expect(seen).toBe(expected);
  });
});

describe('bytes of a command', () => {
  it('are taken at the pace of a slow disk, which is not the silence of the device', async () => {
    let most = 0;
    const { session } = await openServer((channel) => {
      channel.write(Buffer.alloc(8 * mebibyte));
      channel.exit(0);
      channel.end();
    });
    const to = new Writable({
      highWaterMark: mebibyte,
      write(bytes: Buffer, _encoding, done) {
        most = Math.max(most, to.writableLength);
        setTimeout(done, bytes.length > 0 ? 5 : 0);
      },
    });

    const { size, status } = await session.execBytes('show it', {
      signal,
      timeoutMs: 60_000,
      idleMs: 400,
      to,
    });

    expect({ size, status }).toEqual({ size: 8 * mebibyte, status: 0 });
    // ssh2's window of 2 MiB, and the data in transit.
    expect(most).toBeLessThan(4 * mebibyte);
  });

  it('fail as the disk does', async () => {
    const { session } = await openServer((channel) => channel.write(Buffer.alloc(mebibyte)));
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const to = new Writable({ write: (_bytes, _encoding, done) => done(full) });

    const asked = session.execBytes('show it', { signal, timeoutMs: 60_000, to });

    await expect(asked).rejects.toBe(full);
    expect(session.isOpen()).toBe(false);
  });

  it('fail where the stream has been closed before', async () => {
    const { session } = await openServer((channel) => channel.write(Buffer.alloc(mebibyte)));
    const to = new Writable({ write: (_bytes, _encoding, done) => done() }).destroy();

    const asked = session.execBytes('show it', { signal, timeoutMs: 60_000, to });

    await expect(asked).rejects.toThrow('Premature close');
  });

  it('are missed after a while, and it is said what was said last', async () => {
    const { session } = await openServer((channel) => {
      channel.write('begun\n');
      channel.stderr.write('password: hunter2\n');
    });

    const asked = session.execBytes('show it', { signal, timeoutMs: 60_000, idleMs: 300 });

    await failsWith(
      asked,
      DeviceTimeout,
      String.raw`switch-1: the output of "show it" did not end: no data for 0.3 s; received: "begun\npassword: <secret>"`,
    );
  });

  it('are not all of them where the connection is cut', async () => {
    const file = join(await tempDir(), 'output');
    const { session, server } = await openServer((channel) => {
      channel.write(Buffer.alloc(mebibyte), () => {
        for (const socket of server.sockets) socket.destroySoon();
      });
    });

    const asked = session.execBytes('show it', {
      signal,
      timeoutMs: 60_000,
      to: createWriteStream(file),
    });

    await expect(asked).rejects.toBeInstanceOf(DeviceUnreachable);
  });

  it.each([
    ['kept', false],
    ['to a stream', true],
  ])('may not be more than wanted, %s', async (_where, isStream) => {
    const { session } = await openServer((channel) => channel.write(Buffer.alloc(3 * mebibyte)));
    const to = new Writable({ write: (_bytes, _encoding, done) => done() });

    const asked = session.execBytes('show it', {
      signal,
      timeoutMs: 60_000,
      maxBytes: 2 * mebibyte,
      ...(isStream && { to }),
    });

    await failsWith(asked, DeviceRejected, 'switch-1: the output of "show it" exceeds 2 MiB');
  });
});
