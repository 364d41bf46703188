/** The table of a FAT file system, which chains clusters. It is kept in memory, and `save` writes changes. */

import { readBytes, type WritableDisk } from '../disk/disk.ts';
import { PiError } from '../errors.ts';
import type { FatLayout } from './layout.ts';

export interface Clusters {
  /** Numbers of a file's clusters, in order; empty for 0, an empty file. */
  chain(first: number): number[];
  /** A new chain for this many bytes; 0 for an empty file. @throws PiError The disk is full. */
  allocate(bytes: number): number[];
  release(first: number): void;
  /** Adds a cluster to a chain. */
  extend(chain: readonly number[]): number;
  /** Where a cluster is on the disk. */
  offsetOf(cluster: number): number;
  /** Writes all tables. */
  save(): Promise<void>;
}

export async function openClusters(disk: WritableDisk, layout: FatLayout): Promise<Clusters> {
  const { bits, clusters, tables, tableBytes, cluster: clusterBytes, data, info } = layout;
  const table = await readBytes(disk, tables[0] as number, tableBytes);
  const last = clusters + 1;
  const end = bits === 32 ? 0x0fffffff : 0xffff;
  const bad = () =>
    new PiError(`${disk.name}: the FAT file system is damaged; download the image again`);

  function next(cluster: number): number {
    // The highest four bits are reserved.
    if (bits === 32) return table.readUInt32LE(cluster * 4) & 0x0fffffff;
    return table.readUInt16LE(cluster * 2);
  }

  function set(cluster: number, value: number) {
    if (bits === 16) table.writeUInt16LE(value, cluster * 2);
    else {
      const kept = table.readUInt32LE(cluster * 4) & 0xf0000000;
      table.writeUInt32LE((kept | value) >>> 0, cluster * 4);
    }
  }

  function* freeClusters(): Generator<number> {
    for (let cluster = 2; cluster <= last; cluster++) if (next(cluster) === 0) yield cluster;
  }

  function chain(first: number): number[] {
    const found: number[] = [];
    if (first === 0) return found;
    for (let at = first; at < end - 7; at = next(at)) {
      if (at < 2 || at > last || found.length > clusters) throw bad();
      found.push(at);
    }
    return found;
  }

  function findFree(count: number): number[] {
    const found: number[] = [];
    for (const cluster of freeClusters()) {
      if (found.length === count) break;
      found.push(cluster);
    }
    if (found.length < count) {
      throw new PiError(
        `${disk.name}: the boot partition is full: ${count * clusterBytes} bytes are required, but only ${found.length * clusterBytes} are free; use an image with a larger boot partition`,
      );
    }
    for (const [at, cluster] of found.entries()) set(cluster, found[at + 1] ?? end);
    return found;
  }

  return {
    chain,
    allocate: (bytes) => findFree(Math.ceil(bytes / clusterBytes)),
    release(first) {
      for (const cluster of chain(first)) set(cluster, 0);
    },
    extend(previous) {
      const [added] = findFree(1) as [number];
      set(previous.at(-1) as number, added);
      return added;
    },
    offsetOf: (cluster) => data + (cluster - 2) * clusterBytes,
    async save() {
      for (const offset of tables) await disk.write(table, offset);
      if (info === undefined) return;
      const note = await readBytes(disk, info, 512);
      if (note.readUInt32LE(0) !== 0x41615252) return;
      const all = [...freeClusters()];
      note.writeUInt32LE(all.length, 488);
      note.writeUInt32LE(all[0] ?? 0xffffffff, 492);
      await disk.write(note, info);
    },
  };
}
