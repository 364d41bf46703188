import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@skolo/base';
import { tempDir } from '@skolo/base/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openHost, openUserHost } from './host.ts';

it('waits a minute for the connection of a host that is off, also where a command may take hours', async () => {
  let isOff = false;
  const host = await openHost({
    name: 'rpi-1',
    signal: new AbortController().signal,
    // As a tunnel does that connects again and again.
    async start(_command, signal) {
      if (isOff) await once(signal, 'abort').then(() => Promise.reject(signal.reason));
      return spawn('echo', ['0']);
    },
  });
  isOff = true;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());

  const rejected = Promise.allSettled([
    host.write({ path: '/etc/x', content: 'x' }),
    host.run('sleep 1', { deadlineMs: 5000 }),
  ]);
  await vi.advanceTimersByTimeAsync(60_000);

  expect(await rejected).toMatchObject([
    { reason: { message: 'rpi-1: no response within 60 s; try again' } },
    { reason: { message: 'rpi-1: no response within 5 s; try again' } },
  ]);
});

/** A computer whose shell is this one's. Its fourth pipe ends with the others. */
const local = openUserHost({
  name: 'rpi-1',
  signal: new AbortController().signal,
  start: async (command) =>
    spawn('sh', ['-c', command], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }),
});

it('ends a command at its deadline, even if another process still has its pipes', async () => {
  const held = local.run('cat <&3 & wait', { deadlineMs: 300 });

  await expect(held).rejects.toThrow('rpi-1: no response within 0.3 s; try again');
});

it('limits the output of a command', async () => {
  const what = 'rpi-1: a command printed more than 1000 bytes';

  await expect(local.run('yes', { mostBytes: 1000 })).rejects.toThrow(what);
  await expect(local.run('yes >&2', { mostBytes: 1000 })).rejects.toThrow(what);
  expect(await local.run('echo 1', { mostBytes: 2 })).toMatchObject({ code: 0, stdout: '1\n' });
});

it('does not replace a file by one that was damaged in transit', async () => {
  const dir = await tempDir();
  const [file, path] = [join(dir, 'k3s'), join(dir, 'installed')];
  await writeFile(file, 'damaged');
  await writeFile(path, 'previous');
  const host = await openHost({
    name: 'rpi-1',
    signal: new AbortController().signal,
    // Whoever runs the tests is root there.
    start: async (command) => spawn('sh', ['-c', command === 'id -u' ? 'echo 0' : command]),
  });

  await expect(
    host.write({ path, content: { file, sha256: sha256('published') } }),
  ).rejects.toThrow('rpi-1: the file was damaged in transit; try again');

  expect(await readFile(path, 'utf8')).toBe('previous');
  expect(await readdir(dir)).toEqual(['installed', 'k3s']);
});
