/** The folder is deleted, or moved, while it is in use. */
import { copyFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from './spool.ts';

let parent: string;
let folder: string;
let spool: Spool;
/** Milliseconds; the spool's clock. */
let now: number;
beforeEach(async () => {
  now = 0;
  parent = await tempDir();
  folder = join(parent, 'state', 'spool');
  spool = await Spool.open(folder, { segmentBytes: 4096, now: () => now });
});
afterEach(async () => {
  await spool.close().catch(() => undefined);
});

const texts = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => JSON.stringify(`text ${from + i}`));

async function readAll(from = 1): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { seq, text } of spool.read(from)) {
    expect(text).toBe(texts(seq, seq)[0]);
    seqs.push(seq);
  }
  return seqs;
}

const move = () => rename(join(parent, 'state'), join(parent, 'elsewhere'));
const inUse = new Map<string, () => Promise<void>>([
  // Moved first: the spool may write its mark there meanwhile, and a folder that fills cannot be deleted.
  ['deleted', () => move().then(() => rm(join(parent, 'elsewhere'), { recursive: true }))],
  ['moved', move],
]);
/** For so long a look at the newest segment holds good. */
const seenForMs = 50;

describe.each([...inUse])('a folder that is %s', (_, doVanish) => {
  async function vanish() {
    await doVanish();
    now += seenForMs;
  }

  it('keeps the records of the newest segment, and those that are appended then', async () => {
    await spool.append(texts(1, 10));
    spool.setCursor('pubsub', 3);
    await spool.sync();
    await vanish();

    expect(await spool.append(texts(11, 12))).toBe(11);
    expect(await readAll()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await rm(join(folder, 'lock'), { recursive: true, force: true });
    await spool.close();
    spool = await Spool.open(folder);
    expect(await readAll()).toHaveLength(12);
    expect([spool.damage, spool.cursor('pubsub')]).toEqual([undefined, 3]);
  });

  it('is written anew at a read or a look', async () => {
    await spool.append(texts(1, 10));
    await vanish();
    expect(await readAll()).toHaveLength(10);
    await vanish().catch(() => undefined);

    expect(await spool.restore()).toBeGreaterThan(0);
    expect((await readdir(folder)).filter((name) => name.endsWith('.spool'))).toHaveLength(1);
    expect(await readAll()).toHaveLength(10);
    expect(spool.unreadable).toBe(0);
  });

  it('loses the records of older segments, each counted once', async () => {
    const long = Array.from({ length: 12 }, (_, i) => JSON.stringify(`${i}${'x'.repeat(1000)}`));
    for (const text of long) await spool.append([text]);
    await vanish();

    const found: number[] = [];
    for await (const { seq } of spool.read(1)) found.push(seq);
    for await (const _ of spool.read(1));
    expect(found.at(-1)).toBe(12);
    expect(found.length).toBeLessThan(12);
    expect(spool.unreadable).toBe(12 - found.length);
    expect(await spool.append(texts(13, 13))).toBe(13);
  });

  it('is looked for by an append when the last look is 50 ms old', async () => {
    await spool.append(texts(1, 1));
    await spool.append(texts(2, 3));
    await doVanish();
    now += seenForMs - 1;
    expect(await spool.append(texts(4, 6))).toBe(4);
    await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });

    now += 1;
    expect(await spool.append(texts(7, 9))).toBe(7);
    await rm(join(folder, 'lock'), { recursive: true, force: true });
    await spool.close();
    spool = await Spool.open(folder);
    expect(await readAll()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('does not stop a new segment', async () => {
    await spool.append([JSON.stringify('x'.repeat(3000))]);
    await vanish();

    expect(await spool.append([JSON.stringify('y'.repeat(3000))])).toBe(2);
    const found: number[] = [];
    for await (const { seq } of spool.read(1)) found.push(seq);
    expect(found).toEqual([1, 2]);
  });
});

it('puts a file aside that stands in the place of the newest segment', async () => {
  await spool.append(texts(1, 3));
  const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.spool'));
  await copyFile(join(folder, name), join(parent, 'backup'));
  await spool.append(texts(4, 10));
  await rename(join(parent, 'backup'), join(folder, name));
  now += seenForMs;

  expect(await spool.append(texts(11, 11))).toBe(11);
  expect(await readAll()).toHaveLength(11);
  expect(await readdir(folder)).toContain(`${name}.damaged`);
});
