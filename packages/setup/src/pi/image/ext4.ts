/**
 * Reads files in an ext4 file system, because the system must be known before its boot partition is written. Journal, checksums and
 * symbolic links are ignored.
 * Source: Documentation/filesystems/ext4 of Linux.
 */

import { type Disk, readBytes } from '../disk/disk.ts';
import type { Partition } from '../disk/partitions.ts';
import { PiError } from '../errors.ts';

export interface LinuxFiles {
  exists(path: string): Promise<boolean>;
  /** Names in a directory; empty if it does not exist. */
  list(path: string): Promise<string[]>;
  /** The start of a file; undefined if it does not exist. */
  read(path: string, most?: number): Promise<Buffer | undefined>;
}

const rootInode = 2;
const is64bit = 0x80;
const metaGroups = 0x10;
/** It was not unmounted, so the journal contains changes that the files lack. */
const needsRecovery = 0x4;
const usesExtents = 0x80000;
const extentMark = 0xf30a;
const regular = 0x8000;
const folder = 0x4000;
/** Limit of a directory, or of what is read of a file. */
const mostBytes = 16 * 1024 * 1024;

/** Undefined: the partition has another file system. */
export async function openExt4(
  disk: Disk,
  { offset, size }: Partition,
): Promise<LinuxFiles | undefined> {
  if (size < 4096) return undefined;
  const head = await readBytes(disk, offset + 1024, 1024);
  if (head.readUInt16LE(56) !== 0xef53) return undefined;
  const bad = (why: string) => damaged(disk, why);
  const block = 1024 << head.readUInt32LE(24);
  const features = head.readUInt32LE(96);
  if (features & metaGroups) throw unsupported(disk, 'uses meta block groups');
  if (features & needsRecovery) {
    throw new PiError(
      `${disk.name}: the ext4 file system was not cleanly unmounted, for example because the SD card was copied while in use; use the unmodified image`,
    );
  }
  const groupBytes = features & is64bit ? head.readUInt16LE(254) : 32;
  const inodesPerGroup = head.readUInt32LE(40);
  const inodeBytes = head.readUInt16LE(88);
  if (block > 65536 || inodesPerGroup === 0 || inodeBytes < 128) throw bad('is damaged');
  const groups = offset + (head.readUInt32LE(20) + 1) * block;
  return new Ext4(
    disk,
    { offset, size },
    { block, groups, groupBytes, inodesPerGroup, inodeBytes },
  );
}

/** Of its superblock, bytes. */
interface Ext4Layout {
  block: number;
  /** Where the table of groups begins on the disk. */
  groups: number;
  groupBytes: number;
  inodesPerGroup: number;
  inodeBytes: number;
}

class Ext4 implements LinuxFiles {
  private readonly disk: Disk;
  private readonly partition: Pick<Partition, 'offset' | 'size'>;
  private readonly layout: Ext4Layout;

  constructor(disk: Disk, partition: Pick<Partition, 'offset' | 'size'>, layout: Ext4Layout) {
    this.disk = disk;
    this.partition = partition;
    this.layout = layout;
  }

  async exists(path: string): Promise<boolean> {
    return (await this.find(path)) !== undefined;
  }

  async list(path: string): Promise<string[]> {
    const inode = await this.find(path);
    if (inode === undefined || (inode.readUInt16LE(0) & 0xf000) !== folder) return [];
    return [...(await this.entriesOf(inode)).keys()].filter((name) => !/^\.{1,2}$/.test(name));
  }

  async read(path: string, most = mostBytes): Promise<Buffer | undefined> {
    const inode = await this.find(path);
    if (inode === undefined || (inode.readUInt16LE(0) & 0xf000) !== regular) return undefined;
    return await this.content(inode, most);
  }

  private async blockAt(number: number): Promise<Buffer> {
    const { offset, size } = this.partition;
    const { block } = this.layout;
    if ((number + 1) * block > size) throw damaged(this.disk, 'refers to a block beyond its end');
    return await readBytes(this.disk, offset + number * block, block);
  }

  private async inodeOf(number: number): Promise<Buffer> {
    const { offset, size } = this.partition;
    const { block, groups, groupBytes, inodesPerGroup, inodeBytes } = this.layout;
    const [group, at] = [Math.floor((number - 1) / inodesPerGroup), (number - 1) % inodesPerGroup];
    const entry = await readBytes(this.disk, groups + group * groupBytes, groupBytes);
    const high = groupBytes >= 64 ? entry.readUInt32LE(0x28) : 0;
    const table = high * 2 ** 32 + entry.readUInt32LE(8);
    const from = table * block + at * inodeBytes;
    if (from + inodeBytes > size) throw damaged(this.disk, 'refers to an inode beyond its end');
    return await readBytes(this.disk, offset + from, 128);
  }

  /** Blocks of a node in the extent tree, in order. */
  private async *extentsIn(node: Buffer, left: number): AsyncGenerator<Extent> {
    if (node.readUInt16LE(0) !== extentMark || left < 0)
      throw damaged(this.disk, 'has a damaged file');
    const [entries, depth] = [node.readUInt16LE(2), node.readUInt16LE(6)];
    for (let at = 12; at < 12 + entries * 12; at += 12) {
      if (depth > 0) {
        const child = node.readUInt16LE(at + 8) * 2 ** 32 + node.readUInt32LE(at + 4);
        yield* this.extentsIn(await this.blockAt(child), left - 1);
      } else {
        const length = node.readUInt16LE(at + 4);
        yield {
          first: node.readUInt32LE(at),
          // More: it is reserved, and reads as zeros.
          ...(length > 32768
            ? { count: length - 32768, from: undefined }
            : {
                count: length,
                from: node.readUInt16LE(at + 6) * 2 ** 32 + node.readUInt32LE(at + 8),
              }),
        };
      }
    }
  }

  private async content(inode: Buffer, most: number): Promise<Buffer> {
    const bytes = inode.readUInt32LE(108) * 2 ** 32 + inode.readUInt32LE(4);
    const wanted = Math.min(bytes, most);
    if (wanted > mostBytes)
      throw unsupported(this.disk, `contains a file larger than ${mostBytes >> 20} MiB`);
    if (!(inode.readUInt32LE(32) & usesExtents)) {
      throw unsupported(this.disk, 'contains files without extents');
    }
    const { block } = this.layout;
    const whole = Buffer.alloc(wanted);
    for await (const { first, count, from } of this.extentsIn(inode.subarray(40, 100), 5)) {
      for (let at = 0; at < count && (first + at) * block < wanted; at++) {
        if (from !== undefined) (await this.blockAt(from + at)).copy(whole, (first + at) * block);
      }
    }
    return whole;
  }

  /** Indexed directories are also lists, so that older kernels can read them. */
  private async entriesOf(parent: Buffer): Promise<Map<string, number>> {
    const entries = new Map<string, number>();
    const list = await this.content(parent, mostBytes);
    for (let at = 0; at + 8 <= list.length; ) {
      const [inode, length, nameLength] = [
        list.readUInt32LE(at),
        list.readUInt16LE(at + 4),
        list[at + 6] as number,
      ];
      if (length < 8) throw damaged(this.disk, 'has a damaged directory');
      if (inode !== 0) entries.set(list.toString('utf8', at + 8, at + 8 + nameLength), inode);
      at += length;
    }
    return entries;
  }

  private async find(path: string): Promise<Buffer | undefined> {
    let inode = await this.inodeOf(rootInode);
    for (const name of path.split('/').filter(Boolean)) {
      if ((inode.readUInt16LE(0) & 0xf000) !== folder) return undefined;
      const number = (await this.entriesOf(inode)).get(name);
      if (number === undefined) return undefined;
      inode = await this.inodeOf(number);
    }
    return inode;
  }
}

function damaged(disk: Disk, why: string): PiError {
  return new PiError(`${disk.name}: the ext4 file system ${why}; download the image again`);
}

function unsupported(disk: Disk, what: string): PiError {
  return new PiError(
    `${disk.name}: the ext4 file system ${what}, which skolo cannot read; use another image`,
  );
}

interface Extent {
  /** In the file. */
  first: number;
  count: number;
  /** On the disk. */
  from: number | undefined;
}
