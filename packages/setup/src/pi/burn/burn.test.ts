/** Cards, written for real: loop devices of Linux stand in for readers, and files for the cards in them. */
import { mkdir, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Disk, diskOf } from '../disk/disk.ts';
import { burnCards, type CardsDeps, type Reader } from './burn-cards.ts';
import type { DiskFacts } from './disk-facts.ts';
import { findTarget, openDisk, openFile } from './target.ts';
import { type BurnProgress, writeCard } from './write-card.ts';

const { signal } = new AbortController();
const mib = 1024 * 1024;
const size = 14 * mib;

const whyNot = await losetup('--find').then(
  () => undefined,
  () => 'loop devices are for root on Linux',
);

async function losetup(...args: string[]): Promise<string> {
  return (await run('losetup', args)).stdout.trim();
}

describe('a plain file', () => {
  it('gets the image, without zeros', async () => {
    const folder = await tempDir();
    const { disk, bytes, file } = await imageIn(folder, size + 700);
    const path = join(folder, 'card.img');
    expect(await findTarget(path, signal)).toBeUndefined();
    const target = await openFile(path);
    const seen: BurnProgress[] = [];

    const burned = await writeCard(disk, target, { signal, progress: (each) => seen.push(each) });
    await target.file.close();
    await file.close();

    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(burned.skipped).toBeGreaterThan(8 * mib);
    expect((await stat(path)).blocks * 512).toBeLessThan(size - 7 * mib);
    expect(seen.at(-1)).toEqual({ phase: 'reads back', done: disk.size, total: disk.size });
  });

  it('is not made where a disk should be', async () => {
    await expect(findTarget('/dev/sd-none', signal)).rejects.toThrow(
      'no such disk; check that the card reader',
    );
    await expect(findTarget('/dev/null', signal)).rejects.toThrow('neither a disk nor a file');
    await expect(findTarget(import.meta.filename, signal)).rejects.toThrow('the file is not empty');
    await expect(findTarget(tmpdir(), signal)).rejects.toThrow('neither a disk nor a file');
  });
});

/** 14 MiB: data, two parts of 4 MiB that are zeros, data. */
async function imageIn(folder: string, length = size) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 4096) {
    if (at < 5 * mib || at >= 13 * mib) bytes.writeUInt32LE(at + 1, at);
  }
  const path = join(folder, 'image');
  await writeFile(path, bytes);
  const file = await open(path);
  return { disk: await diskOf('image', file), bytes, file };
}

describe.skipIf(whyNot ?? lacks('fdisk'))('a card', () => {
  let folder: string;
  let common: string;
  let image: Awaited<ReturnType<typeof imageIn>>;
  const loops: string[] = [];
  const mounts: string[] = [];

  beforeAll(async () => {
    common = await mkdtemp(join(tmpdir(), 'skolo-card-'));
    image = await imageIn(common);
  });
  afterAll(async () => {
    await image.file.close();
    await rm(common, { recursive: true });
  });
  beforeEach(async () => {
    folder = await tempDir();
  });
  afterEach(async () => {
    for (const each of mounts.splice(0)) await run('umount', ['--lazy', each]);
    for (const each of loops.splice(0)) await losetup('--detach', each).catch(() => undefined);
  });

  /** Random bytes are on a card that was used. */
  async function newCard(name: string, { bytes = 16 * mib, used = true } = {}): Promise<string> {
    const path = join(folder, name);
    if (used) await writeFile(path, Buffer.alloc(bytes, 'previous'));
    else await writeFile(path, '').then(() => truncate(path, bytes));
    return path;
  }

  async function reader(card: string, ...options: string[]): Promise<string> {
    const path = await losetup('--find', '--show', ...options, card);
    loops.push(path);
    return path;
  }

  async function facts(path: string): Promise<DiskFacts> {
    const disk = await findTarget(path, signal);
    if (disk === undefined) throw new Error(`${path} is no disk`);
    return disk;
  }

  const needs = { bytes: size, confirmed: [] };

  async function write(
    path: string,
    {
      progress = () => {},
      source = image.disk,
    }: { progress?: (each: BurnProgress) => void; source?: Disk } = {},
  ) {
    const target = await openDisk(await facts(path), needs, signal);
    try {
      return await writeCard(source, target, { signal, progress });
    } finally {
      await target.file.close();
    }
  }

  const onCard = async (card: string) => (await readFile(card)).subarray(0, size);

  it('that was used has the image, and zeros where that has zeros', async () => {
    const card = await newCard('card');
    const { skipped } = await write(await reader(card));

    expect((await onCard(card)).equals(image.bytes)).toBe(true);
    expect(skipped).toBe(0);
  });

  it('that is new is written only where the image has data', async () => {
    const card = await newCard('card', { used: false });
    const { skipped } = await write(await reader(card));

    expect((await onCard(card)).equals(image.bytes)).toBe(true);
    expect(skipped).toBeGreaterThan(8 * mib);
  });

  it('that somebody uses, has mounted, or that is read-only stays as it is', async () => {
    const card = await newCard('card', { used: false });
    await run('mke2fs', ['-q', '-t', 'ext4', card]);
    const before = await readFile(card);
    const at = await reader(card);
    const unmounted = await facts(at);
    const mount = join(folder, 'mount');
    await mkdir(mount);
    await run('mount', ['-o', 'ro,noload', at, mount]);
    mounts.push(mount);

    await expect(write(at)).rejects.toThrow(`${at} is mounted at ${mount}; if it is the SD card`);
    // It was not when a person looked.
    await expect(openDisk(unmounted, needs, signal)).rejects.toThrow('another program is using it');
    await run('umount', [mounts.pop() ?? '']);
    // A process that has begun meanwhile may still have the mount in a namespace of its own.
    const free = await reader(card);
    const held = await openDisk(await facts(free), needs, signal);
    await expect(write(free)).rejects.toThrow('another program is using it');
    await held.file.close();

    const locked = await reader(card, '--read-only');
    await expect(write(locked)).rejects.toThrow('is read-only');
    const part = await newCard('part');
    await run('sh', ['-c', 'echo start=1MiB | sfdisk --quiet "$1"', 'sh', part]);
    await expect(
      write(await reader(part, '--partscan').then((each) => `${each}p1`)),
    ).rejects.toThrow(/is not a whole disk \(part\)|no such disk/);
    await expect(write(await reader(await newCard('small', { bytes: 8 * mib })))).rejects.toThrow(
      'is too small',
    );
    expect((await readFile(card)).equals(before)).toBe(true);
  });

  it('that was exchanged after a person has looked stays as it is', async () => {
    const [seen, other] = [await newCard('seen'), await newCard('other')];
    const before = await readFile(other);
    const at = await reader(seen);
    const disk = await facts(at);
    await losetup('--detach', at);
    await losetup(at, other);

    await expect(openDisk(disk, needs, signal)).rejects.toThrow(
      'the disk has changed since the command started',
    );

    expect((await readFile(other)).equals(before)).toBe(true);
  });

  it('that has something else afterwards is found', async () => {
    const card = await newCard('card');
    const at = await reader(card);
    const spoil = async () => {
      const file = await open(card, 'r+');
      await file.write(Buffer.from('broken'), 0, 6, 5 * mib + 3);
      await file.close();
    };
    let spoilt: Promise<void> | undefined;
    // The image is read again to compare.
    const source: Disk = {
      ...image.disk,
      async read(into, offset) {
        await spoilt;
        await image.disk.read(into, offset);
      },
    };
    const progress = ({ done, total }: BurnProgress) => {
      if (done === total) spoilt ??= spoil();
    };

    await expect(write(at, { source, progress })).rejects.toThrow(
      /at 5\.2 MB, the data differs from what was written, so the card is defective/,
    );
    expect((await onCard(card)).subarray(0, mib).equals(Buffer.alloc(mib))).toBe(true);
  });

  it('whose table of partitions is not what was written has none', async () => {
    const card = await newCard('card');
    let rounds = 0;
    // The image is read once to be written, and once to be compared.
    const source: Disk = {
      ...image.disk,
      async read(into, offset) {
        await image.disk.read(into, offset);
        if (offset === 0 && ++rounds === 2) into.fill(1, 17, 24);
      },
    };

    await expect(write(await reader(card), { source })).rejects.toThrow(
      'at 0.0 MB, the data differs',
    );
    expect((await onCard(card)).subarray(0, mib).equals(Buffer.alloc(mib))).toBe(true);
  });

  it('that fails midway does not start', async () => {
    const small = join(folder, 'small');
    await mkdir(small);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4M', 'none', small]);
    mounts.push(small);
    // It has less than it says.
    const card = join(small, 'card');
    await writeFile(card, Buffer.alloc(mib, 'previous'));
    await truncate(card, 16 * mib);

    await expect(write(await reader(card))).rejects.toThrow(
      /writing failed at \d+ MB: .*; the card will not boot/,
    );

    const file = await open(card);
    const start = Buffer.alloc(mib, 1);
    await file.read(start, 0, mib, 0);
    await file.close();
    expect(start.every((byte) => byte === 0)).toBe(true);
  });

  it('comes after another one in each of two readers', async () => {
    const cards = await Promise.all(['1', '2', '3', '4'].map((name) => newCard(`card-${name}`)));
    const [a, b] = [await reader(cards[0] ?? ''), await reader(cards[1] ?? '')];
    const readers: Reader[] = [];
    for (const path of [a, b]) readers.push({ path, disk: await facts(path) });
    const left = cards.slice(2);
    const asked: string[] = [];
    const deps: CardsDeps = {
      ...needs,
      signal,
      pollMs: 10,
      imageOf: async () => image.disk,
      progress() {},
      done() {},
      ask(path, text) {
        asked.push(text.replace(path, 'READER'));
        const next = left.shift();
        if (next === undefined) throw new Error('no card is left');
        void losetup('--detach', path).then(() => losetup(path, next));
      },
    };

    const results = await burnCards(['rpi-1', 'rpi-2', 'rpi-3', 'rpi-4'], readers, deps);

    expect(results.map(({ name, why }) => [name, why])).toEqual([
      ['rpi-1', undefined],
      ['rpi-2', undefined],
      ['rpi-3', undefined],
      ['rpi-4', undefined],
    ]);
    for (const each of cards) expect((await onCard(each)).equals(image.bytes), each).toBe(true);
    expect(asked.toSorted()).toEqual([
      'remove the SD card from READER and insert the one for rpi-3',
      'remove the SD card from READER and insert the one for rpi-4',
    ]);
  });

  it('that fails ends its reader, and the other one goes on', async () => {
    const good = await newCard('good');
    const [a, b] = [await reader(await newCard('bad')), await reader(good)];
    const disk = await facts(a);
    await losetup('--detach', a);
    const readers = [
      { path: a, disk },
      { path: b, disk: await facts(b) },
    ];
    const next = await newCard('next');

    const results = await burnCards(['rpi-1', 'rpi-2', 'rpi-3'], readers, {
      ...needs,
      signal,
      pollMs: 10,
      imageOf: async () => image.disk,
      progress() {},
      done() {},
      ask: (path) => void losetup('--detach', path).then(() => losetup(path, next)),
    });

    expect(results.map(({ name, path, why }) => [name, path, why === undefined])).toEqual([
      ['rpi-1', a, false],
      ['rpi-2', b, true],
      ['rpi-3', b, true],
    ]);
    expect((await onCard(next)).equals(image.bytes)).toBe(true);
  });
});
