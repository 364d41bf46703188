import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../testing/index.ts';
import { tempFolder } from './temp-folder.ts';

it('makes a directory that only this user can access, and removes it with its content', async () => {
  const parent = await tempDir();
  let path: string;
  {
    await using folder = await tempFolder('own-', parent);
    path = folder.path;
    await writeFile(join(path, 'file'), 'content');

    expect(path.startsWith(join(parent, 'own-'))).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  }

  await expect(stat(path)).rejects.toThrow('ENOENT');
});
