/**
 * The partitions of a disk: MBR, or GPT if the MBR refers to it.
 * Sources: UEFI specification 2.10, chapter 5; the MBR as sfdisk writes it.
 */
import { PiError } from '../errors.ts';
import { type Disk, readBytes } from './disk.ts';

export interface Partition {
  /** 1 is the first. */
  number: number;
  /** Bytes. */
  offset: number;
  size: number;
}

const sector = 512;
const gptMark = 0xee;
/** Raspberry Pi images do not use extended partitions. */
const extended = [0x05, 0x0f, 0x85];
/** GPT tables have 128 entries of 128 bytes. */
const mostGptBytes = 1024 * 1024;

/** @throws PiError It does not contain a valid partition table. */
export async function partitionsOf(disk: Disk): Promise<Partition[]> {
  const bad = (why: string) =>
    new PiError(`${disk.name}: ${why}; check that it is a complete disk image`);
  if (disk.size < 2 * sector) throw bad('too small for a disk');
  const mbr = await readBytes(disk, 0, sector);
  if (mbr.readUInt16LE(510) !== 0xaa55) throw bad('no partition table');
  const entries = [0, 1, 2, 3].map((at) => mbr.subarray(446 + 16 * at, 462 + 16 * at));
  const found = entries.some((entry) => entry[4] === gptMark)
    ? await gptPartitions(disk, bad)
    : entries.flatMap((entry, at): Partition[] => {
        const type = entry[4] as number;
        if (type === 0 || extended.includes(type)) return [];
        const [start, sectors] = [entry.readUInt32LE(8), entry.readUInt32LE(12)];
        return [{ number: at + 1, offset: start * sector, size: sectors * sector }];
      });
  for (const { number, offset, size } of found) {
    if (offset === 0 || size === 0 || offset + size > disk.size) {
      throw bad(`partition ${number} has an invalid position or size`);
    }
  }
  return found;
}

async function gptPartitions(disk: Disk, bad: (why: string) => PiError): Promise<Partition[]> {
  const header = await readBytes(disk, sector, sector);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') throw bad('the GPT is damaged');
  const [table, entries, bytes] = [
    Number(header.readBigUInt64LE(72)) * sector,
    header.readUInt32LE(80),
    header.readUInt32LE(84),
  ];
  if (bytes < 128 || entries * bytes > mostGptBytes || table + entries * bytes > disk.size) {
    throw bad('the GPT is damaged');
  }
  const all = await readBytes(disk, table, entries * bytes);
  return Array.from({ length: entries }, (_, at) =>
    all.subarray(at * bytes, (at + 1) * bytes),
  ).flatMap((entry, at): Partition[] => {
    if (entry.subarray(0, 16).every((byte) => byte === 0)) return [];
    const [first, last] = [Number(entry.readBigUInt64LE(32)), Number(entry.readBigUInt64LE(40))];
    return [{ number: at + 1, offset: first * sector, size: (last - first + 1) * sector }];
  });
}
