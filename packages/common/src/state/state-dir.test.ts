import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { isFull, stateDirTrouble } from './state-dir.ts';

describe('stateDirTrouble', () => {
  it('makes the folder, for nobody else to read', async () => {
    const dir = join(await tempDir(), 'a', 'b');

    expect(await stateDirTrouble(dir)).toBeUndefined();

    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  it('says what is wrong, and what to do', async () => {
    const file = join(await tempDir(), 'file');
    await writeFile(file, '');

    const trouble = await stateDirTrouble(join(file, 'state'));

    expect(trouble).toContain(`${file}/state is not writable: ENOTDIR`);
    expect(trouble).toContain('--state-dir');
  });
});

const disk = { bavail: 1_000_000, bsize: 4096, files: 100, ffree: 50 };

it.each([
  ['with room', disk, false],
  ['without blocks', { ...disk, bavail: 255 }, true],
  ['with just enough blocks', { ...disk, bavail: 256 }, false],
  ['without inodes', { ...disk, ffree: 0 }, true],
  ['that does not count inodes', { ...disk, files: 0, ffree: 0 }, false],
])('isFull: a disk %s', (_what, given, full) => {
  expect(isFull(given)).toBe(full);
});
