import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mountSmall, run, tempDir } from '@skolo/base/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { countRounds, seeded } from '../testing/fault-injection.ts';
import { Spool } from './spool.ts';

const kills = countRounds();

const rounds = kills * 10;

let disk: string;
let folder: string;
let filling: string;
let spool: Spool | undefined;
beforeEach(async (context) => {
  disk = await tempDir();
  await mountSmall(context, disk, 'size=2m');
  folder = join(disk, 'spool');
  filling = join(disk, 'filling');
});
afterEach(async () => {
  await spool?.close();
  spool = undefined;
});

/** To the last byte, or all but a share of it. */
async function fill(share = 2) {
  // What fills it already is cut off when it is written again.
  await rm(filling, { force: true });
  const { bavail, bsize } = await statfs(disk);
  const content = Buffer.alloc(Math.floor(bavail * bsize * share));
  await writeFile(filling, content).catch(() => undefined);
}

async function textsOf(from: Spool): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  for await (const { seq, text } of from.read(1)) texts.set(seq, text);
  return texts;
}

it(`has what it acknowledged and nothing that it rejected while a disk fills and empties ${rounds} times`, async () => {
  console.log(`a spool on a disk that fills and empties: ${rounds} rounds`);
  const random = seeded(testSeed());
  const options = { segmentBytes: 100_000 };
  const expected = new Map<number, string>();
  spool = await Spool.open(folder, options);

  async function append(round: number, to: Spool) {
    const size = random() < 0.3 ? random() * 200_000 : random() * 500;
    const texts = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, part) =>
      JSON.stringify({ round, part, filling: 'x'.repeat(size) }),
    );
    try {
      const first = await to.append(texts);
      for (const [part, text] of texts.entries()) expected.set(first + part, text);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
  }

  async function compare(to: Spool) {
    expect([to.damage, to.tornBytes, to.unreadable]).toEqual([undefined, 0, 0]);
    const seqs = [...expected.keys()].filter((seq) => seq >= to.first);
    expect(await textsOf(to)).toEqual(new Map(seqs.map((seq) => [seq, expected.get(seq) ?? ''])));
    expect(to.next).toBe(Math.max(0, ...expected.keys()) + 1);
  }

  for (let round = 0; round < rounds; round += 1) {
    const choice = random();
    if (choice < 0.15) await fill(0.7 + random() / 2);
    else if (choice < 0.3) await rm(filling, { force: true });
    else if (choice < 0.4) {
      // Also while the disk is full.
      await spool.close();
      spool = await Spool.open(folder, options);
      await compare(spool);
    } else if (choice < 0.55) {
      spool.setCursor('pubsub', Math.max(1, spool.next - 5));
      await spool.trim(Math.max(1, spool.next - 5)).catch((error) => {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      });
      expect(spool.first).toBeGreaterThanOrEqual(1);
    } else {
      const to = spool;
      const count = 1 + Math.floor(random() * 5);
      await Promise.all(Array.from({ length: count }, () => append(round, to)));
    }
  }
  // Whatever the moments were: once more than a full disk takes.
  await fill();
  await expect(spool.append([`"${'x'.repeat(100_000)}"`])).rejects.toMatchObject({
    code: 'ENOSPC',
  });
  await compare(spool);
  await rm(filling, { force: true });
  await spool.trim(spool.next);
  await append(rounds, spool);
  await compare(spool);
});

it('rejects what does not fit, takes what fits, and recovers by itself', async () => {
  spool = await Spool.open(folder);
  await spool.append(['"old"']);
  await fill();

  const outcomes = await Promise.allSettled([
    spool.append([`"${'x'.repeat(100_000)}"`]),
    spool.append(['"small"']),
  ]);

  expect(outcomes).toMatchObject([
    {
      reason: {
        code: 'ENOSPC',
        message: `${folder}: not written: the disk is full (ENOSPC)`,
      },
    },
    { value: 2 },
  ]);
  await rm(filling);
  expect(await spool.append(['"new"'])).toBe(3);
  expect([...(await textsOf(spool)).values()]).toEqual(['"old"', '"small"', '"new"']);
});

it('is opened, read and trimmed on a full disk', async () => {
  const options = { segmentBytes: 50_000 };
  const first = await Spool.open(folder, options);
  for (let count = 0; count < 20; count += 1) await first.append([`"${'x'.repeat(10_000)}"`]);
  await first.close();
  await fill();

  spool = await Spool.open(folder, options);

  expect((await textsOf(spool)).size).toBe(20);
  spool.setCursor('pubsub', 18);
  const before = await readdir(folder);
  await spool.trim(18);
  expect((await readdir(folder)).length).toBeLessThan(before.length);
  expect(await spool.append([`"${'y'.repeat(10_000)}"`])).toBe(21);
  await spool.close();
  spool = await Spool.open(folder, options);
  expect([spool.damage, spool.cursor('pubsub'), spool.next]).toEqual([undefined, 18, 22]);
});

it('reports that the file system is read-only, and can be opened later', async () => {
  await mkdir(folder);
  const first = await Spool.open(folder);
  await first.append(['1']);
  await first.close();
  await run('mount', ['-o', 'remount,ro', disk]);

  await expect(Spool.open(folder)).rejects.toMatchObject({
    code: 'EROFS',
    message: `${folder}: not opened: the file system is read-only (EROFS)`,
  });

  await run('mount', ['-o', 'remount,rw', disk]);
  spool = await Spool.open(folder);
  expect((await textsOf(spool)).size).toBe(1);
});

it('reports that a disk without its folder is read-only, and opens once it is not', async () => {
  await run('mount', ['-o', 'remount,ro', disk]);
  await expect(Spool.open(folder)).rejects.toMatchObject({ code: 'EROFS' });
  await run('mount', ['-o', 'remount,rw', disk]);

  spool = await Spool.open(folder);
  expect(await spool.append(['1'])).toBe(1);
});
