/** Files from a device, and to it. */

import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import type { ServerChannel } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { DeviceRejected, DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import { failsWith, openCommands, openServer, sshdTarget } from '../testing/sessions.ts';
import { shareSshd, startSshd } from '../testing/sshd.ts';
import { soon } from '../testing/targets.ts';

const signal = soon();
const limits = { signal, timeoutMs: 30_000 };

const shared = shareSshd();

async function openSshd(lines?: readonly string[]) {
  const session = await openCommands(sshdTarget(await (lines ? startSshd(lines) : shared())));
  return { session, dir: await tempDir() };
}

/** More than ssh2's window, and not a power of two. */
const big = Buffer.alloc(2_500_001, 'hostname lab\n');

describe.skipIf(lacks('sshd'))("a file of OpenSSH's server", () => {
  it.for([
    ['text', Buffer.from('hostname lab\n')],
    ['nothing', Buffer.alloc(0)],
    ['zeros and what looks like a line', Buffer.from('\0\x01C0644 1 x\n\0\0')],
    ['a lot', big],
  ] as const)('may hold %s', async ([, content]) => {
    const { session, dir } = await openSshd();
    await writeFile(join(dir, 'config.ini'), content);

    const seen = await session.download(join(dir, 'config.ini'), limits);

    expect(seen.equals(content)).toBe(true);
  });

  it.for(['with space', "it's", '$(touch hacked)', '-rf', 'Zürich', '*'])(
    'may be called %j',
    async (name) => {
      const { session, dir } = await openSshd();
      await session.upload(join(dir, name), Buffer.from(name), limits);

      const seen = await session.download(join(dir, name), limits);

      expect(seen.toString()).toBe(name);
      expect(await readFile(join(dir, name), 'utf8')).toBe(name);
    },
  );

  it('is said not to be there, and the next one is', async () => {
    const { session, dir } = await openSshd();
    await writeFile(join(dir, 'there'), 'it');

    const asked = session.download(join(dir, 'missing'), limits);

    await failsWith(
      asked,
      DeviceRejected,
      `switch-1: failed to read "${dir}/missing": scp: ${dir}/missing: No such file or directory`,
    );
    expect((await session.download(join(dir, 'there'), limits)).toString()).toBe('it');
  });

  it('is no folder', async () => {
    const { session, dir } = await openSshd();

    await expect(session.download(dir, limits)).rejects.toThrow('not a regular file');
  });

  it('is written for its owner alone', async () => {
    const { session, dir } = await openSshd();
    await session.upload(join(dir, 'new'), big, limits);
    await writeFile(join(dir, 'old'), 'longer than what comes');
    await chmod(join(dir, 'old'), 0o640);
    await session.upload(join(dir, 'old'), Buffer.from('short'), limits);

    expect((await readFile(join(dir, 'new'))).equals(big)).toBe(true);
    expect((await stat(join(dir, 'new'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(dir, 'old'), 'utf8')).toBe('short');
    expect((await stat(join(dir, 'old'))).mode & 0o777).toBe(0o640);
  });

  it('is not written where it cannot be', async () => {
    const { session, dir } = await openSshd();
    await mkdir(join(dir, 'folder/folder'), { recursive: true });

    const missing = session.upload(join(dir, 'missing/file'), big, limits);
    await failsWith(missing, DeviceRejected, 'No such file or directory');
    await expect(session.upload(join(dir, 'folder'), big, limits)).rejects.toThrow(
      'folder/folder: Is a directory',
    );
    await session.upload(join(dir, 'file'), Buffer.from('it'), limits);
    expect(await readFile(join(dir, 'file'), 'utf8')).toBe('it');
  });

  it('is not copied where there is no scp', async () => {
    const { session } = await openSshd(['ForceCommand echo welcome; nonsense']);

    await expect(session.download('/etc/hostname', limits)).rejects.toThrow(
      /failed to read "\/etc\/hostname": the response is "welcome"/,
    );
    await expect(session.upload('/tmp/x', big, limits)).rejects.toBeInstanceOf(DeviceRejected);
  });
});

describe('a file that comes', () => {
  it('may come byte by byte, with its times, from a device that gives no status', async () => {
    const { session } = await openServer((channel) => {
      const said = 'T1 0 1 0\nC0644 5 config.ini\nhello\0';
      let at = 0;
      const next = (): void => {
        if (at < said.length) channel.write(said.charAt(at++), () => setImmediate(next));
      };
      channel.once('data', next);
      channel.on('end', () => channel.close());
    });

    expect((await session.download('config.ini', limits)).toString()).toBe('hello');
  });

  it('is all of it, also where the device does not end', async () => {
    const { session } = await openServer((channel) => {
      channel.once('data', () => channel.write('C0644 5 config.ini\nhello\0'));
    });

    expect((await session.download('config.ini', limits)).toString()).toBe('hello');
    expect(session.isOpen()).toBe(true);
  });

  it.each([
    ['is cut by the device', cut, DeviceUnreachable],
    ['has status 0', ending(0), DeviceUnreachable],
    ['fails', ending(1), DeviceRejected],
    ['cannot be read on', complaining, DeviceRejected],
  ] as const)('is none where it %s half-way', async (_how, end, kind) => {
    const { session } = await openServer((channel) => {
      channel.once('data', () => channel.write('C0644 7 config.ini\nhel', () => end(channel)));
    });

    await expect(session.download('config.ini', limits)).rejects.toBeInstanceOf(kind);
  });

  it('is none where the connection dies', async () => {
    const { session, server } = await openServer((channel) => {
      channel.once('data', () =>
        channel.write('C0644 7 config.ini\nhel', () => {
          for (const socket of server.sockets) socket.destroySoon();
        }),
      );
    });

    await expect(session.download('config.ini', limits)).rejects.toBeInstanceOf(DeviceUnreachable);
    expect(session.isOpen()).toBe(false);
  });

  it('is missed after a while without a word', async () => {
    const { session } = await openServer((channel) => {
      channel.once('data', () => channel.write('C0644 7 config.ini\nhel'));
    });

    const asked = session.download('config.ini', { ...limits, idleMs: 300 });

    await failsWith(
      asked,
      DeviceTimeout,
      'switch-1: no complete file (7 bytes): no data for 0.3 s while trying to read "config.ini"; 3 bytes arrived',
    );
  });

  it.each([
    [
      'is too large',
      'C0644 99999999999 config.ini\n',
      'the file has 99999999999 bytes, more than 4194304',
    ],
    ['is a folder', 'D0755 0 config\n', 'the path is a directory'],
    ['has no size', 'C0644 config.ini\n', 'the response is "0644 config.ini"'],
    ['has times twice', 'T1 0 1 0\n'.repeat(2), 'the response has the times of the file twice'],
    ['is a login page', '<html>\n', 'the response is "<html>"'],
    ['is rejected, with a secret', '\x02password: hunter2\n', 'password: <secret>'],
  ])('is none where it %s', async (_how, said, message) => {
    const { session } = await openServer((channel) => {
      channel.once('data', () => channel.write(said));
    });

    const asked = session.download('config.ini', limits);

    await failsWith(asked, DeviceRejected, `switch-1: failed to read "config.ini": ${message}`);
    expect(session.isOpen()).toBe(true);
  });

  it('is all of it, however much the device sends behind it', async () => {
    let sent = 0;
    const flood = Buffer.alloc(1024 * 1024);
    function* endless() {
      yield Buffer.from('C0644 5 config.ini\nhello\0');
      for (; sent < 256 * 1024 * 1024; sent += flood.length) yield flood;
    }
    const { session } = await openServer((channel) => {
      channel.once('data', () => void pipeline(endless(), channel).catch(() => undefined));
    });

    expect((await session.download('config.ini', limits)).toString()).toBe('hello');
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('may be stopped', async () => {
    const stop = new AbortController();
    const { session } = await openServer((channel) => {
      channel.once('data', () => stop.abort(new Error('enough')));
    });

    await expect(session.download('x', { ...limits, signal: stop.signal })).rejects.toThrow(
      'enough',
    );
  });

  it('is told with the path as it is, where no shell is needed for it', async () => {
    const commands: string[] = [];
    const { session } = await openServer((channel, command) => {
      commands.push(command);
      channel.end('\x02no\n');
    });

    for (const path of ['config.ini', '/a b', '-x']) {
      await session.download(path, limits).catch(() => undefined);
    }
    await session.upload('/config/x', big, limits).catch(() => undefined);

    expect(commands).toEqual([
      'scp -f config.ini',
      "scp -f '/a b'",
      'scp -f ./-x',
      'scp -t /config/x',
    ]);
  });
});

function ending(status: number): (channel: ServerChannel) => void {
  return (channel) => {
    channel.exit(status);
    channel.end();
  };
}

function cut(channel: ServerChannel): void {
  channel.close();
}

function complaining(channel: ServerChannel): void {
  channel.write('lo\0\0\x01scp: I/O error\n');
}
