import { expect, it } from 'vitest';
import { partitionsOf } from './partitions.ts';

const sector = 512;

/** A disk of 100 sectors, whose MBR refers to a GPT with one partition in its table. */
function gptDisk({ table = 2n, entries = 128, bytes = 128, first = 40n, last = 49n } = {}) {
  const data = Buffer.alloc(100 * sector);
  data[446 + 4] = 0xee;
  data.writeUInt16LE(0xaa55, 510);
  const header = data.subarray(sector);
  header.write('EFI PART');
  header.writeBigUInt64LE(table, 72);
  header.writeUInt32LE(entries, 80);
  header.writeUInt32LE(bytes, 84);
  const entry = data.subarray(2 * sector);
  entry.fill(1, 0, 16);
  entry.writeBigUInt64LE(first, 32);
  entry.writeBigUInt64LE(last, 40);
  const read = async (into: Uint8Array, offset: number) => {
    data.copy(into, 0, offset, offset + into.length);
  };
  return { name: 'disk.img', size: data.length, read };
}

it('reads a GPT', async () => {
  expect(await partitionsOf(gptDisk())).toEqual([
    { number: 1, offset: 40 * sector, size: 10 * sector },
  ]);
});

it.each([
  ['a table behind the end', { table: 100n }],
  ['a table at the last possible sector', { table: 2n ** 64n - 1n }],
  ['four billion entries', { entries: 2 ** 32 - 1 }],
  ['entries that are too short', { bytes: 64 }],
  ['entries of four gigabytes', { bytes: 2 ** 32 - 1 }],
])('rejects a GPT with %s', async (_, damage) => {
  await expect(partitionsOf(gptDisk(damage))).rejects.toThrow(
    'disk.img: the GPT is damaged; check that it is a complete disk image',
  );
});

it.each([
  ['ends behind the disk', { last: 100n }],
  ['ends before it begins', { last: 39n }],
  ['is where the partition table is', { first: 0n }],
])('rejects a partition that %s', async (_, damage) => {
  await expect(partitionsOf(gptDisk(damage))).rejects.toThrow(
    'disk.img: partition 1 has an invalid position or size',
  );
});
