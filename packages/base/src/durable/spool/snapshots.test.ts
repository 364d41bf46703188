import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { openSpool } from '../testing/spools.ts';
import { Snapshots } from './snapshots.ts';

/** Bytes of all files of a folder. */
function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

it('writes a snapshot piece by piece, so that its texts are not in memory together', async () => {
  const folder = join(await tempDir(), 'spool');
  const spool = await openSpool(folder);
  const before = bytesIn(folder);
  const length = 600_000;
  const unwritten: number[] = [];
  function* texts() {
    for (let i = 0; i < 40; i += 1) {
      unwritten.push(i * length - (bytesIn(folder) - before));
      yield JSON.stringify(String(i).padEnd(length, 'ü'));
    }
  }
  const snapshots = new Snapshots(spool, () => ({ next: 1, count: 40, texts: texts() }));

  await snapshots.write();

  expect(Math.max(...unwritten)).toBeLessThan(3 * length);
  const found = await new Snapshots(spool, () => ({ next: 1, count: 0, texts: [] })).read();
  expect(found).toMatchObject({ isWhole: true, lost: 0, next: 1 });
  const read = [...(typeof found === 'object' ? found.texts : [])];
  expect(read.map((text) => Number.parseInt(text.slice(1), 10))).toEqual([...Array(40).keys()]);
});

it.each([0, 1, 5000])('reads a snapshot of %d texts as it was written', async (count) => {
  const spool = await openSpool(join(await tempDir(), 'spool'));
  const texts = Array.from({ length: count }, (_, i) => JSON.stringify(`${i}`.repeat(i % 300)));
  const snapshots = new Snapshots(spool, () => ({ next: 1, count, texts }));

  await snapshots.write();

  const found = await snapshots.read();
  expect(found).toMatchObject({ isWhole: true, lost: 0 });
  expect([...(typeof found === 'object' ? found.texts : [])]).toEqual(texts);
});
