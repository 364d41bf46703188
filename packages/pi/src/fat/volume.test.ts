/** FAT against the programs that others use: mkfs.vfat and mtools make it, mtools and fsck.vfat read what was written. */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runs } from '@skolo/durable/campaign';
import { peer } from '@skolo/simulators';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChangedDisk, diskOf } from '../image/disk.ts';
import { partitionsOf } from '../image/partitions.ts';
import { writeChanged } from '../image/write-image.ts';
import { bootOffset, checkFat, makeTestImage, readByMtools } from '../testing/test-image.ts';
import { openFat } from './volume.ts';

const run = promisify(execFile);
const time = new Date('2026-11-22T11:00:00Z');
const missing = peer('mtools') === undefined ? ' (mtools is not installed)' : '';

describe.skipIf(missing !== '').each([16, 32] as const)(`FAT%i${missing}`, (fat) => {
  let folder: string;
  let base: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-fat-'));
    base = join(folder, 'base.img');
    await makeTestImage(base, {
      ...{ fat, root: {}, table: fat === 16 ? 'dos' : 'gpt' },
      boot: {
        'cmdline.txt': 'root=PARTUUID=1',
        'config.txt': '',
        'a longer name.dtb': 'b'.repeat(5000),
        'overlays/one.dtbo': 'one',
      },
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function changed(
    work: (volume: NonNullable<Awaited<ReturnType<typeof openFat>>>) => Promise<void>,
  ) {
    const file = await open(base);
    const out = join(folder, 'changed.img');
    try {
      const disk = new ChangedDisk(await diskOf('base.img', file));
      const [boot] = await partitionsOf(disk);
      const volume = boot && (await openFat(disk, boot));
      if (volume === undefined) throw new Error('no FAT');
      await work(volume);
      await writeChanged(disk, out, new AbortController().signal);
      return out;
    } finally {
      await file.close();
    }
  }

  it('reads what mtools wrote', async () => {
    await changed(async (volume) => {
      expect((await volume.list()).toSorted()).toEqual(
        ['a longer name.dtb', 'cmdline.txt', 'config.txt', 'overlays'].toSorted(),
      );
      expect((await volume.read('A LONGER name.dtb'))?.toString()).toBe('b'.repeat(5000));
      expect((await volume.read('overlays/one.dtbo'))?.toString()).toBe('one');
      expect((await volume.read('config.txt'))?.length).toBe(0);
      expect(await volume.read('none')).toBeUndefined();
    });
  });

  it('writes what mtools reads, and fsck.vfat finds nothing wrong', async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,28}(\.[a-z]{1,6})?$/);
    // `overlays` is a folder.
    const file = fc.tuple(
      name.filter((each) => each !== 'overlays'),
      fc.string({ unit: fc.constantFrom('a', 'é', '\n', ' '), maxLength: 9000 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 12 }), async (files) => {
        const wanted = new Map<string, string>();
        const out = await changed(async (volume) => {
          const before = volume.free();
          for (const [path, text] of files) {
            await volume.write(path, Buffer.from(text), time);
            wanted.set(path, text);
            expect((await volume.read(path))?.toString()).toBe(text);
          }
          expect(volume.free()).toBeLessThanOrEqual(before);
        });

        for (const [path, text] of wanted) expect(await readByMtools(out, path)).toBe(text);
        expect(await checkFat(out)).not.toMatch(/differ|Free cluster summary wrong|orphan|bad/i);
      }),
      runs(6),
    );
  });

  it('has many files in a folder, and one that is replaced in another', async () => {
    const out = await changed(async (volume) => {
      for (let number = 0; number < 120; number++) {
        await volume.write(`a file with a long name ${number}.txt`, Buffer.from(`${number}`), time);
      }
      await volume.write('overlays/one.dtbo', Buffer.from('two'.repeat(3000)), time);
    });

    expect(await readByMtools(out, 'a file with a long name 119.txt')).toBe('119');
    expect(await readByMtools(out, 'overlays/one.dtbo')).toBe('two'.repeat(3000));
    await checkFat(out);
    const { stdout } = await run('mdir', ['-i', `${out}@@${bootOffset}`, '::overlays']);
    expect(stdout).toContain('2026-11-22  11:00');
  });

  it('rejects a file for which there is no room, and one in a folder that is not there', async () => {
    await changed(async (volume) => {
      await expect(volume.write('large', Buffer.alloc(64 << 20), time)).rejects.toThrow(
        /the boot partition is full: 67108864 bytes are needed, and \d+ free/,
      );
      await expect(volume.write('none/file', Buffer.alloc(1), time)).rejects.toThrow(
        'no folder none',
      );
    });
  });
});
