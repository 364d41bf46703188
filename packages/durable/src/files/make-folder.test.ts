import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeFolder } from './make-folder.ts';

async function temporary(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-folder-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

describe('makeFolder', () => {
  it('makes those above it, for their owner only, and again without harm', async () => {
    const folder = join(await temporary(), 'a/b/c');

    await Promise.all([makeFolder(folder), makeFolder(folder)]);
    await makeFolder(folder);

    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, '..'))).mode & 0o777).toBe(0o700);
  });

  it.runIf(process.platform === 'linux')('fails where no folder can be made', async () => {
    await expect(makeFolder('/proc/nope/state')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('reports that a part of the path is a file', async () => {
    const file = join(await temporary(), 'file');
    await writeFile(file, '');

    await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(file, 'a/b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
