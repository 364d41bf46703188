/** FAT against the programs that others use: mkfs.vfat and mtools make it, mtools and fsck.vfat read what was written. */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runs } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChangedDisk, diskOf, readBytes } from '../disk/disk.ts';
import { type Partition, partitionsOf } from '../disk/partitions.ts';
import { copyByMtools, makeTestImage } from '../testing/test-image.ts';
import { type FatVolume, openFat } from './volume.ts';

const time = new Date('2026-11-22T11:00:00Z');

describe.skipIf(lacks('mtools')).each([16, 32] as const)('FAT%i', (fat) => {
  let folder: string;
  let base: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-fat-'));
    base = join(folder, 'base.img');
    await makeTestImage(base, {
      fat,
      root: {},
      table: fat === 16 ? 'dos' : 'gpt',
      boot: {
        'cmdline.txt': 'root=PARTUUID=1',
        'config.txt': '',
        'a longer name.dtb': 'b'.repeat(5000),
        'overlays/one.dtbo': 'one',
      },
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** @returns a file with the boot partition, as it is afterwards */
  async function changed(work: (volume: FatVolume) => Promise<void>): Promise<string> {
    const out = join(folder, 'changed.fat');
    await opened(async (volume, disk, { offset, size }) => {
      await work(volume);
      await writeFile(out, await readBytes(disk, offset, size));
    });
    return out;
  }

  async function opened(
    work: (volume: FatVolume, disk: ChangedDisk, boot: Partition) => Promise<void>,
  ): Promise<void> {
    const file = await open(base);
    try {
      const disk = new ChangedDisk(await diskOf('base.img', file));
      const [boot] = await partitionsOf(disk);
      if (boot === undefined) throw new Error('no partition');
      const volume = await openFat(disk, boot);
      if (volume === undefined) throw new Error('no FAT');
      await work(volume, disk, boot);
    } finally {
      await file.close();
    }
  }

  const fsck = async (part: string) => (await run('fsck.vfat', ['-n', '-v', part])).stdout;

  it('reads what mtools wrote', async () => {
    await opened(async (volume) => {
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
          for (const [path, text] of files) {
            await volume.write(path, Buffer.from(text), time);
            wanted.set(path, text);
            expect((await volume.read(path))?.toString()).toBe(text);
          }
        });

        const read = await copyByMtools(out, await mkdtemp(join(folder, 'read-')), 0);
        for (const [path, text] of wanted) expect(await read(path)).toBe(text);
        expect(await fsck(out)).not.toMatch(/differ|Free cluster summary wrong|orphan|bad/i);
      }),
      runs(6),
    );
  });

  it('has many files in a folder, and one that is replaced in another', async () => {
    const out = await changed(async (volume) => {
      for (let number = 0; number < 40; number++) {
        await volume.write(`a file with a long name ${number}.txt`, Buffer.from(`${number}`), time);
      }
      await volume.write('overlays/one.dtbo', Buffer.from('two'.repeat(3000)), time);
    });

    const read = await copyByMtools(out, join(folder, 'many'), 0);
    for (const number of [0, 20, 39]) {
      expect(await read(`a file with a long name ${number}.txt`)).toBe(`${number}`);
    }
    expect(await read('overlays/one.dtbo')).toBe('two'.repeat(3000));
    await fsck(out);
    const { stdout } = await run('mdir', ['-i', out, '::overlays']);
    expect(stdout).toContain('2026-11-22  11:00');
  });

  it('rejects a file for which there is no room, and one in a folder that is not there', async () => {
    await opened(async (volume) => {
      await expect(volume.write('large', Buffer.alloc(64 << 20), time)).rejects.toThrow(
        /the boot partition is full: 67108864 bytes are required, but only \d+ are free/,
      );
      await expect(volume.write('none/file', Buffer.alloc(1), time)).rejects.toThrow(
        'does not contain the directory none',
      );
    });
  });
});
