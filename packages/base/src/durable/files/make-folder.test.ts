import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { makeFolder } from './make-folder.ts';

describe('makeFolder', () => {
  it('makes those above it, for their owner only, and again without harm', async () => {
    const folder = join(await tempDir(), 'a/b/c');

    await Promise.all([makeFolder(folder), makeFolder(folder)]);
    await makeFolder(folder);

    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, '..'))).mode & 0o777).toBe(0o700);
  });

  it.skipIf(process.platform !== 'linux' && 'only on Linux')(
    'fails where no folder can be made',
    async () => {
      await expect(makeFolder('/proc/nope/state')).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('reports that a part of the path is a file', async () => {
    const file = join(await tempDir(), 'file');
    await writeFile(file, '');

    await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(file, 'a/b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
