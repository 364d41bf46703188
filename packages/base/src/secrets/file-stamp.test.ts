import { mkdtemp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStamp, isSettled } from './file-stamp.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skolo-stamp-'));
  file = join(folder, 'file');
  await writeFile(file, 'content');
});
afterEach(() => rm(folder, { recursive: true }));

describe('fileStamp', () => {
  it('stays the same while nothing happens', async () => {
    expect(fileStamp(await look())).toBe(fileStamp(await look()));
  });

  it.each([
    ['its times change', () => utimes(file, 1, 1)],
    ['its size changes', () => writeFile(file, 'more content')],
    [
      'another file takes its place',
      async () => {
        await writeFile(`${file}~`, 'content');
        await rename(`${file}~`, file);
      },
    ],
  ])('is another when %s', async (_, change) => {
    const before = fileStamp(await look());

    await change();

    expect(fileStamp(await look())).not.toBe(before);
  });
});

describe('isSettled', () => {
  it('is true only of a file whose last change is well in the past', async () => {
    const found = await look();
    const written = Number(found.ctimeMs);

    expect(isSettled(found, written)).toBe(false);
    expect(isSettled(found, written + 1_000)).toBe(false);
    expect(isSettled(found, written + 3_000)).toBe(true);
    // The clock is wrong: it went back after the file was written.
    expect(isSettled(found, written - 3_600_000)).toBe(false);
  });
});

function look() {
  return stat(file, { bigint: true });
}
