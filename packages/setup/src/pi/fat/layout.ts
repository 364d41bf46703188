/**
 * The layout of a FAT file system.
 * Source: Microsoft, FAT32 File System Specification 1.03; Linux, fs/fat/inode.c, for what is FAT32.
 */

import { type Disk, readBytes } from '../disk/disk.ts';
import type { Partition } from '../disk/partitions.ts';
import { PiError } from '../errors.ts';

export interface FatLayout {
  bits: 16 | 32;
  /** Bytes. */
  cluster: number;
  /** Number of clusters; the first is 2. */
  clusters: number;
  /** Offsets in bytes on the disk. */
  tables: number[];
  tableBytes: number;
  data: number;
  /** Of FAT16: a part of its own. */
  root: { offset: number; bytes: number } | { cluster: number };
  /** Of FAT32: where the number of free clusters is noted. */
  info?: number;
}

/** Undefined: the partition has another file system. @throws PiError It is damaged, or FAT12. */
export async function fatLayout(
  disk: Disk,
  { offset, size }: Partition,
): Promise<FatLayout | undefined> {
  const head = await readBytes(disk, offset, 512);
  if (head.readUInt16LE(510) !== 0xaa55 || !looksLikeFat(head)) return undefined;
  const sector = head.readUInt16LE(11);
  const cluster = (head[13] as number) * sector;
  const reserved = head.readUInt16LE(14);
  const copies = head[16] as number;
  const rootBytes = head.readUInt16LE(17) * 32;
  const sectors = head.readUInt16LE(19) || head.readUInt32LE(32);
  const isLarge = head.readUInt16LE(22) === 0;
  const tableBytes = (isLarge ? head.readUInt32LE(36) : head.readUInt16LE(22)) * sector;
  const rootOffset = offset + reserved * sector + copies * tableBytes;
  const data = rootOffset + Math.ceil(rootBytes / sector) * sector;
  const clusters = Math.floor((offset + sectors * sector - data) / cluster);
  const bad = (why: string) => new PiError(`${disk.name}: the FAT file system ${why}`);
  if (sectors * sector > size || tableBytes === 0 || clusters < 1)
    throw bad('is damaged; download the image again');
  if (!isLarge && clusters < 4085)
    throw bad('is FAT12, from which a Raspberry Pi cannot boot; use another image');
  const bits = isLarge ? 32 : 16;
  if (tableBytes < (clusters + 2) * (bits / 8)) throw bad('is damaged; download the image again');
  // Bit 7: only one of the tables is updated.
  if (isLarge && head.readUInt16LE(40) & 0x80)
    throw bad('does not mirror its allocation tables; use another image');
  return {
    bits,
    cluster,
    clusters,
    tableBytes,
    data,
    tables: Array.from({ length: copies }, (_, at) => offset + reserved * sector + at * tableBytes),
    root: isLarge
      ? { cluster: head.readUInt32LE(44) }
      : { offset: rootOffset, bytes: data - rootOffset },
    ...(isLarge && { info: offset + head.readUInt16LE(48) * sector }),
  };
}

/** Detects a FAT boot sector. */
function looksLikeFat(head: Buffer): boolean {
  const [jump, sector, cluster, copies, medium] = [
    head[0],
    head.readUInt16LE(11),
    head[13] as number,
    head[16] as number,
    head[21] as number,
  ];
  return (
    (jump === 0xeb || jump === 0xe9) &&
    [512, 1024, 2048, 4096].includes(sector) &&
    cluster > 0 &&
    (cluster & (cluster - 1)) === 0 &&
    (copies === 1 || copies === 2) &&
    medium >= 0xf0
  );
}
