import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { runs } from '@skolo/durable/fault-injection';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Arrived, ArrivedFile } from './arrived.ts';

it('contains exactly the numbers that were added, as few ranges', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 })),
      fc.nat(40),
      fc.nat(40),
      (seqs, from, end) => {
        const arrived = new Arrived();
        for (const seq of seqs) arrived.add(seq);
        arrived.limit(from, Math.max(1, end));

        const kept = [...new Set(seqs)].filter((seq) => seq >= from && seq < end);
        const all = Array.from({ length: 42 }, (_, seq) => seq);
        expect(all.filter((seq) => arrived.has(seq))).toEqual(kept.toSorted((a, b) => a - b));
        const ranges = kept.filter((seq) => !kept.includes(seq - 1));
        expect(arrived.ranges).toHaveLength(ranges.length);
      },
    ),
    runs(500),
  );
});

it('is read again, without numbers that the spool assigns again, or of sinks that are gone', async () => {
  const dir = await tempDir();
  const spool = { sync: async () => {} };
  const first = new ArrivedFile(dir);
  for (const seq of [3, 4, 8, 9]) first.of('pager').add(seq);
  first.of('gone').add(3);
  await first.close();

  // It dies at once, after the spool has assigned 9 again.
  await new ArrivedFile(dir).open(spool, 9);
  const second = new ArrivedFile(dir);
  await second.open(spool, 10);
  second.retain(new Set(['pager']));

  expect(second.of('pager').ranges).toEqual([
    [3, 4],
    [8, 8],
  ]);
  expect(second.of('gone').ranges).toEqual([]);
});

it('is empty if the file is damaged', async () => {
  const dir = await tempDir();
  await writeFile(join(dir, 'arrived.json'), '{"pager":[[3');
  const arrived = new ArrivedFile(dir);
  await arrived.open({ sync: async () => {} }, 9);

  expect(arrived.of('pager').ranges).toEqual([]);
});
