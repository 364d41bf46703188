import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newFolder } from '../testing/run-demo.ts';
import { AlreadyRunning, takeLock } from './lock.ts';

/** A process that does nothing until it is ended. */
async function otherProcess() {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
  await once(child, 'spawn');
  async function end() {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  onTestFinished(end);
  return { pid: child.pid ?? 0, end };
}

function silent() {}

describe('takeLock', () => {
  it('gives a folder to one at a time', async () => {
    const dir = await newFolder();
    const lock = await takeLock(dir, silent);

    await expect(takeLock(dir, silent)).rejects.toThrow(AlreadyRunning);
    await lock.release();
    await (await takeLock(dir, silent)).release();

    expect(await readdir(dir)).toEqual([]);
  });

  it('takes the lock of a dead process, and of one whose number another process has now', async () => {
    const dir = await newFolder();
    const file = join(dir, 'lock');
    const lock = await takeLock(dir, silent);
    const [own] = JSON.parse(await readFile(file, 'utf8'));
    await lock.release();

    await writeFile(file, JSON.stringify([{ ...own, start: 'another time' }]));

    await (await takeLock(dir, silent)).release();
  });

  it.each(['', '{}', '[{"pid": "x"}]', 'null'])('takes a lock that holds %j', async (content) => {
    const dir = await newFolder();
    await writeFile(join(dir, 'lock'), content);

    await (await takeLock(dir, silent)).release();
  });

  it('waits for the guard of a demo that was killed', async () => {
    const dir = await newFolder();
    const file = join(dir, 'lock');
    const guard = await otherProcess();
    await (await takeLock(dir, silent)).share(guard.pid);
    const [own, shared] = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify([{ ...own, start: 'another time' }, shared]));
    const printed: string[] = [];

    const lock = await takeLock(dir, (line) => {
      printed.push(line);
      void guard.end();
    });

    expect(printed).toEqual([expect.stringMatching(/^Waiting for/)]);
    await lock.release();
  });
});
