import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { threadId } from 'node:worker_threads';
import { mountSmall, run, tempDir } from '@skolo/base/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { versionText } from '../testing/atomic-file-writer.ts';
import { countRounds, killAfter, seeded, startWriter } from '../testing/fault-injection.ts';
import { FileNotWritten, readFileIfExists, writeFileAtomic } from './atomic-file.ts';

const kills = countRounds();

const isRoot = process.getuid?.() === 0;

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await tempDir();
  file = join(folder, 'state.json');
});
afterEach(async () => {
  vi.restoreAllMocks();
});

describe('writeFileAtomic', () => {
  it('writes text and bytes, and replaces what was there', async () => {
    await writeFileAtomic(file, 'first, grüezi');
    expect(await readFile(file, 'utf8')).toBe('first, grüezi');

    await writeFileAtomic(file, new Uint8Array([0, 255, 10]));
    expect([...(await readFile(file))]).toEqual([0, 255, 10]);

    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it.each([
    { title: '0600 by default', mode: undefined, seen: 0o600 },
    { title: '0644 when asked', mode: 0o644, seen: 0o644 },
    { title: '0666 when asked', mode: 0o666, seen: 0o666 },
  ])('gives the file mode $title, whatever the umask and the old file', async ({ mode, seen }) => {
    await writeFile(file, 'old', { mode: 0o640 });

    await writeFileAtomic(file, 'new', { ...(mode !== undefined && { mode }) });

    expect((await stat(file)).mode & 0o777).toBe(seen);
  });

  it('leaves who may use a file as it is, when asked', async () => {
    await writeFile(file, 'old');
    await chmod(file, 0o640);
    if (isRoot) await chown(file, 4711, 4712);
    const before = await stat(file);

    await writeFileAtomic(file, 'new', { keepAccess: true });
    await writeFileAtomic(join(folder, 'other.json'), 'new', { keepAccess: true });

    const { uid, gid, mode } = await stat(file);
    expect({ uid, gid, mode }).toEqual({ uid: before.uid, gid: before.gid, mode: before.mode });
    expect((await stat(join(folder, 'other.json'))).mode & 0o777).toBe(0o600);
  });

  it('gives another group no access where it may not keep the previous one', async () => {
    await writeFile(file, 'old');
    await chmod(file, 0o664);
    const probe = await open(file);
    vi.spyOn(Object.getPrototypeOf(probe), 'chown').mockRejectedValue(
      Object.assign(new Error('EPERM'), { code: 'EPERM' }),
    );
    await probe.close();

    await writeFileAtomic(file, 'new', { keepAccess: true });

    expect(await readFile(file, 'utf8')).toBe('new');
    expect((await stat(file)).mode & 0o777).toBe(0o604);
  });

  it('syncs the temp file before the rename and the folder after it', async () => {
    await writeFile(file, 'old');
    const steps: string[] = [];
    const probe = await open(file);
    const handles: { sync(): Promise<void> } = Object.getPrototypeOf(probe);
    await probe.close();
    const { sync } = handles;
    vi.spyOn(handles, 'sync').mockImplementation(async function (this: typeof probe) {
      const what = (await this.stat()).isDirectory() ? 'folder' : 'file';
      steps.push(`sync of the ${what} while the file is ${await readFile(file, 'utf8')}`);
      await sync.call(this);
    });

    await writeFileAtomic(file, 'new');

    expect(steps).toEqual([
      'sync of the file while the file is old',
      'sync of the folder while the file is new',
    ]);
  });

  it('lets concurrent writers be: each write succeeds, and one whole version stays', async () => {
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    async function write(writer: number) {
      for (const round of rounds) await writeFileAtomic(file, versionText(writer * 1000 + round));
    }

    await Promise.all([write(1), write(2), write(3), write(4)]);

    const last = [1, 2, 3, 4].map((writer) => versionText(writer * 1000 + 19));
    expect(last).toContain(await readFile(file, 'utf8'));
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('replaces a symbolic link and leaves its target alone', async () => {
    const target = join(folder, 'target');
    await writeFile(target, 'not ours');
    await symlink(target, file);

    await writeFileAtomic(file, 'ours');

    expect(await readFile(file, 'utf8')).toBe('ours');
    expect(await readFile(target, 'utf8')).toBe('not ours');
  });

  it('removes temp files of writers that are gone, and no others', async () => {
    const { pid: gone } = await finishedProcess();
    const temp = (name: string, pid: number | undefined, thread = 0) =>
      `.${name}.${pid}-${thread}-0123456789ab.tmp`;
    const stale = [
      temp('state.json', gone),
      // Its pid is ours, but this process is not writing it: a container restarted with the same pid.
      temp('state.json', process.pid, threadId),
    ];
    const others = [
      temp('state.json', process.ppid),
      temp('state.json', process.pid, 4711),
      temp('state.json.old', gone),
      '.state.json.backup.tmp',
      '.state.json.1-0-nothex.tmp',
    ];
    for (const name of [...stale, ...others]) await writeFile(join(folder, name), 'left');

    await writeFileAtomic(file, 'new');

    expect((await readdir(folder)).sort()).toEqual([...others, 'state.json'].sort());
  });

  it('fails with the reason, the path and the system’s code', async () => {
    const missing = join(folder, 'nowhere', 'state.json');
    const failed = writeFileAtomic(missing, 'new');

    await expect(failed).rejects.toThrow(FileNotWritten);
    await expect(failed).rejects.toMatchObject({
      message: `${missing}: not written: the directory does not exist (ENOENT)`,
      code: 'ENOENT',
      path: missing,
    });
  });

  it('leaves no temp file behind when the rename fails', async () => {
    await mkdir(join(file, 'in the way'), { recursive: true });

    await expect(writeFileAtomic(file, 'new')).rejects.toThrow('a directory has this name');

    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('keeps the old content where the folder is read-only', async (context) => {
    await writeFile(file, 'old');
    if (isRoot) {
      // Permissions do not stop root; a read-only mount does.
      await mountSmall(context, folder, 'size=64k');
      await writeFile(file, 'old');
      await run('mount', ['-o', 'remount,ro', folder]);
    } else {
      await chmod(folder, 0o500);
    }

    try {
      await expect(writeFileAtomic(file, 'new')).rejects.toMatchObject({
        code: isRoot ? 'EROFS' : 'EACCES',
      });
      expect(await readFile(file, 'utf8')).toBe('old');
    } finally {
      if (!isRoot) await chmod(folder, 0o700);
    }
  });

  it('keeps the old content on a full disk, fails with the reason, and writes once there is space', async (context) => {
    await mountSmall(context, folder, 'size=64k');
    const old = 'o'.repeat(40_000);
    await writeFileAtomic(file, old);

    await expect(writeFileAtomic(file, 'n'.repeat(40_000))).rejects.toMatchObject({
      message: `${file}: not written: the disk is full (ENOSPC)`,
      code: 'ENOSPC',
    });

    expect(await readFile(file, 'utf8')).toBe(old);
    expect(await readdir(folder)).toEqual(['state.json']);
    await writeFileAtomic(file, 'short');
    expect(await readFile(file, 'utf8')).toBe('short');
  });

  it('frees the space of a crashed writer’s temp file on a full disk', async (context) => {
    await mountSmall(context, folder, 'size=64k');
    const { pid } = await finishedProcess();
    await writeFile(join(folder, `.state.json.${pid}-0-0123456789ab.tmp`), 'x'.repeat(60_000));

    await writeFileAtomic(file, 'n'.repeat(40_000));

    expect(await readdir(folder)).toEqual(['state.json']);
  });
});

describe('writeFileAtomic in other processes', () => {
  const script = join(import.meta.dirname, '../testing/atomic-file-writer.ts');

  it('lets writers in several processes be', async () => {
    const writers = [1, 2, 3].map((writer) => {
      const child = startWriter(script, file, String(writer * 1000));
      const input = child.stdout ?? Readable.from([]);
      return { child, closed: once(child, 'close'), lines: createInterface({ input }) };
    });
    await Promise.all(
      writers.map(async ({ lines }) => {
        let written = 0;
        for await (const _ of lines) if (++written === 30) break;
      }),
    );
    for (const { child } of writers) child.kill('SIGKILL');
    const ends = await Promise.all(writers.map(({ closed }) => closed));

    // A writer that fails ends by itself, with status 1.
    expect(ends).toEqual([
      [null, 'SIGKILL'],
      [null, 'SIGKILL'],
      [null, 'SIGKILL'],
    ]);
    const content = await readFile(file, 'utf8');
    expect(content).toBe(versionText(Number(content.split('\n')[1])));
  });

  it(`leaves one whole version after each of ${kills} times kill -9`, async () => {
    console.log(`kill -9 of the atomic file's writer: ${kills} kills`);
    const random = seeded(testSeed());

    let acknowledged = -1;
    for (let kill = 0; kill < kills; kill += 1) {
      const writer = startWriter(script, file, String(acknowledged + 1));
      const lines = await killAfter(writer, random() * 40);

      acknowledged = Number(lines.at(-1));
      const content = await readFile(file, 'utf8');
      const version = Number(content.split('\n')[1]);
      expect(content).toBe(versionText(version));
      expect(version).toBeGreaterThanOrEqual(acknowledged);
      expect(version).toBeLessThanOrEqual(acknowledged + 1);
      expect((await readdir(folder)).length).toBeLessThanOrEqual(2);
    }

    await writeFileAtomic(file, 'the end');
    expect(await readdir(folder)).toEqual(['state.json']);
  });
});

describe('readFileIfExists', () => {
  it('reads a file, and gives undefined where there is none', async () => {
    await writeFile(file, 'grüezi');

    expect(await readFileIfExists(file)).toBe('grüezi');
    expect(await readFileIfExists(join(folder, 'none'))).toBeUndefined();
    expect(await readFileIfExists(join(folder, 'no folder', 'none'))).toBeUndefined();
  });

  it('throws whatever else is wrong', async () => {
    await expect(readFileIfExists(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

async function finishedProcess() {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'close');
  return { pid: child.pid };
}
