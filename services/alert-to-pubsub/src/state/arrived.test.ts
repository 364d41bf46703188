import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runs, tempDir } from '@skolo/base/testing';
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
  const spool = { sync: async () => {} };
  const seq = fc.integer({ min: 1, max: 30 });
  await fc.assert(
    fc.asyncProperty(fc.array(seq), seq, fc.nat(9), async (seqs, next, later) => {
      const dir = await tempDir();
      const first = new ArrivedFile(dir);
      for (const each of seqs) first.of('pager').add(each);
      first.of('gone').add(3);
      await first.close();

      // It dies at once, and the spool assigns these numbers again.
      await new ArrivedFile(dir).open(spool, next);
      const second = new ArrivedFile(dir);
      await second.open(spool, next + later);
      second.retain(new Set(['pager']));

      first.of('pager').limit(1, next);
      expect(second.of('pager').ranges).toEqual(first.of('pager').ranges);
      expect(second.of('gone').ranges).toEqual([]);
    }),
    runs(50),
  );
});

it('is empty if the file is damaged', async () => {
  const dir = await tempDir();
  await writeFile(join(dir, 'arrived.json'), '{"pager":[[3');
  const arrived = new ArrivedFile(dir);
  await arrived.open({ sync: async () => {} }, 9);

  expect(arrived.of('pager').ranges).toEqual([]);
});

it('counts how often a message may have arrived, until it has, also for the next process', async () => {
  const spool = { sync: async () => {} };
  const dir = await tempDir();
  const first = new ArrivedFile(dir);
  await first.open(spool, 10);
  const pager = first.of('pager');
  for (const seq of [3, 3, 3, 4, 5, 7, Number.POSITIVE_INFINITY]) pager.doubt(seq);
  pager.add(5);
  // No close: the process dies.
  await first.save();

  const next = new ArrivedFile(dir);
  await next.open(spool, 7);

  expect([...next.of('pager').doubts]).toEqual([
    [3, 3],
    [4, 1],
  ]);
  expect(next.of('pager').has(5)).toBe(true);
  next.of('pager').limit(4);
  expect([...next.of('pager').doubts]).toEqual([[4, 1]]);
});

it('is read if a version without these counts has written it', async () => {
  const dir = await tempDir();
  await writeFile(join(dir, 'arrived.json'), '{"pager":[[2,5]]}');
  const file = new ArrivedFile(dir);
  await file.open({ sync: async () => {} }, 10);
  expect(file.of('pager').ranges).toEqual([[2, 5]]);
});
