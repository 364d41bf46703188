import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '@skolo/base';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { isFull, stateDirTrouble, watchStateDir } from './state-dir.ts';

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

    expect(trouble?.why).toContain(`${file}/state is not writable: ENOTDIR`);
    expect(trouble?.why).toContain('--state-dir');
    expect(trouble?.code).toBeUndefined();
  });
});

it('a disk that hangs is not checked again before the check has ended', async () => {
  let [checks, underWay, most] = [0, 0, 0];
  const enough = Promise.withResolvers<void>();
  const raised: string[] = [];
  const degraded = { raise: (what: string) => raised.push(what), clear: () => raised.push('well') };
  const trouble = async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    // The first one belongs to the start.
    if (checks > 0) await pause(20);
    underWay -= 1;
    checks += 1;
    if (checks === 4) enough.resolve();
    return checks === 1 ? undefined : { why: 'the disk is full' };
  };

  const watch = await watchStateDir('/state', degraded, { everyMs: 1, trouble });
  await enough.promise;
  watch.close();

  expect(most).toBe(1);
  expect(raised.slice(0, 3)).toEqual(['well', 'state directory', 'state directory']);
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
