import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mountSmall, tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { countRounds, seeded } from '../testing/fault-injection.ts';
import { Journal } from './journal.ts';

const kills = countRounds();

const rounds = kills * 10;

it(`has what it acknowledged and nothing that it rejected while a disk fills and empties ${rounds} times`, async (context) => {
  const disk = await tempDir();
  await mountSmall(context, disk, 'size=8m');
  console.log(`a journal on a disk that fills and empties: ${rounds} rounds`);
  const random = seeded(testSeed());
  const folder = join(disk, 'journal');
  const filling = join(disk, 'filling');
  const expected = new Map<string, unknown>();
  let rejected = 0;

  function someRecords(round: number): Record<string, unknown> {
    const keys = Array.from({ length: 2 }, () => `key/${Math.floor(random() * 16)}`);
    const size = random() < 0.3 ? random() * 120_000 : random() * 500;
    return Object.fromEntries(keys.map((key) => [key, { round, filling: 'x'.repeat(size) }]));
  }

  async function write(journal: Journal, put: Record<string, unknown>) {
    const deleted = `key/${Math.floor(random() * 16)}`;
    try {
      await journal.write({ put, delete: [deleted] });
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
      rejected += 1;
      return;
    }
    expected.delete(deleted);
    for (const [key, value] of Object.entries(put)) expected.set(key, value);
  }

  function compare(journal: Journal) {
    const found = new Map<string, unknown>();
    for (const [key, value] of journal.entries()) found.set(key, value);
    expect(found).toEqual(expected);
    expect(journal.recovered).toBeUndefined();
  }

  let journal = await Journal.open(folder);
  try {
    for (let round = 0; round < rounds; round += 1) {
      const choice = random();
      if (choice < 0.15) {
        const { bavail, bsize } = await statfs(disk);
        const content = Buffer.alloc(Math.floor(bavail * bsize * (0.7 + random() / 2)));
        await writeFile(filling, content).catch(() => undefined);
      } else if (choice < 0.35) {
        await rm(filling, { force: true });
      } else if (choice < 0.4) {
        // Also while the disk is full.
        await journal.close();
        journal = await Journal.open(folder);
        compare(journal);
      } else {
        const count = 1 + Math.floor(random() * 5);
        await Promise.all(Array.from({ length: count }, () => write(journal, someRecords(round))));
      }
    }
    await rm(filling, { force: true });
    // Whatever was rejected before: one that is larger than the disk.
    const before = rejected;
    await write(journal, { 'key/0': 'x'.repeat(9_000_000) });
    expect(rejected).toBe(before + 1);
    compare(journal);
    await journal.write({ put: { 'key/0': 'the end' } });
    expected.set('key/0', 'the end');
    compare(journal);
  } finally {
    await journal.close();
  }
});
