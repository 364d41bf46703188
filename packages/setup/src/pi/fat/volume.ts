/**
 * Files in a boot partition, without mounting it, so on any system and without root. Each FAT file system that a Raspberry Pi
 * boots from is FAT16 or FAT32. Alternatives: balena-image-fs includes ext2fs as Wasm, and fatfs has not had a
 * release since 2016.
 */

import { readBytes, type WritableDisk } from '../disk/disk.ts';
import type { Partition } from '../disk/partitions.ts';
import { PiError } from '../errors.ts';
import { type Clusters, openClusters } from './clusters.ts';
import { type Entry, entriesIn, entryBytes, newEntries, roomFor, setContent } from './entries.ts';
import { type FatLayout, fatLayout } from './layout.ts';

/** Paths have no leading slash, and are not case-sensitive. */
export interface FatVolume {
  /** Names in a directory; empty if it does not exist. */
  list(path?: string): Promise<string[]>;
  /** Undefined if the file does not exist. */
  read(path: string): Promise<Buffer | undefined>;
  /** Creates or replaces a file in an existing directory. @throws PiError The disk is full. */
  write(path: string, content: Uint8Array, time: Date): Promise<void>;
}

/** Parts of a directory on the disk. */
type Places = { offset: number; bytes: number }[];

/** Undefined: the partition has another file system. @throws PiError It is damaged. */
export async function openFat(
  disk: WritableDisk,
  partition: Partition,
): Promise<FatVolume | undefined> {
  const layout = await fatLayout(disk, partition);
  if (layout === undefined) return undefined;
  return new Volume(disk, layout, await openClusters(disk, layout));
}

class Volume implements FatVolume {
  private readonly disk: WritableDisk;
  private readonly layout: FatLayout;
  private readonly clusters: Clusters;

  constructor(disk: WritableDisk, layout: FatLayout, clusters: Clusters) {
    this.disk = disk;
    this.layout = layout;
    this.clusters = clusters;
  }

  async list(path = ''): Promise<string[]> {
    const places = await this.folder(path.split('/').filter(Boolean));
    return places === undefined ? [] : entriesIn(await this.load(places)).map(({ name }) => name);
  }

  async read(path: string): Promise<Buffer | undefined> {
    const { parents, name } = split(path);
    const places = await this.folder(parents);
    const entry = places && named(entriesIn(await this.load(places)), name);
    if (entry === undefined || entry.isFolder) return undefined;
    const content = await this.load(this.placesOf(entry.cluster));
    return content.subarray(0, entry.size);
  }

  async write(path: string, content: Uint8Array, time: Date): Promise<void> {
    const { parents, name } = split(path);
    const places = await this.folder(parents);
    if (places === undefined)
      throw this.bad(
        `does not contain the directory ${parents.join('/')}; check that the image is complete`,
      );
    const list = await this.load(places);
    const entries = entriesIn(list);
    const previous = named(entries, name);
    if (previous?.isFolder)
      throw this.bad(
        `contains a directory named ${path} instead of a file; check that the image is complete`,
      );
    if (previous !== undefined) this.clusters.release(previous.cluster);
    const chain = this.clusters.allocate(content.length);
    await this.fill(chain, content);
    const filled = { cluster: chain[0] ?? 0, size: content.length, time };
    if (previous === undefined) {
      await this.add(places, list, newEntries(name, entries), filled);
    } else {
      setContent(list.subarray(previous.offsets.at(-1)), filled);
      await this.store(places, list);
    }
    await this.clusters.save();
  }

  private async add(
    places: Places,
    list: Buffer,
    added: Buffer,
    filled: Parameters<typeof setContent>[1],
  ) {
    setContent(added.subarray(-entryBytes), filled);
    let [room, whole] = [places, list];
    let at = roomFor(whole, added.length / entryBytes);
    while (at === undefined) {
      room = [...room, this.grow(room)];
      whole = Buffer.concat([whole, Buffer.alloc(this.layout.cluster)]);
      at = roomFor(whole, added.length / entryBytes);
    }
    added.copy(whole, at);
    await this.store(room, whole);
  }

  /** Adds a cluster to a directory. The root of FAT16 has a fixed size. */
  private grow(places: Places): Places[number] {
    const { cluster: bytes, data } = this.layout;
    const last = places.at(-1) as Places[number];
    if (last.offset < data) throw this.bad('has a full root directory; use another image');
    const number = (last.offset - data) / bytes + 2;
    return { offset: this.clusters.offsetOf(this.clusters.extend([number])), bytes };
  }

  private async folder(path: readonly string[]): Promise<Places | undefined> {
    const { root } = this.layout;
    let places = 'offset' in root ? [root] : this.placesOf(root.cluster);
    for (const name of path) {
      const entry = named(entriesIn(await this.load(places)), name);
      if (!entry?.isFolder) return undefined;
      places = this.placesOf(entry.cluster);
    }
    return places;
  }

  private placesOf(first: number): Places {
    const bytes = this.layout.cluster;
    return this.clusters
      .chain(first)
      .map((cluster) => ({ offset: this.clusters.offsetOf(cluster), bytes }));
  }

  private async load(places: Places): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (const { offset, bytes } of places) parts.push(await readBytes(this.disk, offset, bytes));
    return Buffer.concat(parts);
  }

  private async store(places: Places, content: Buffer): Promise<void> {
    let done = 0;
    for (const { offset, bytes } of places) {
      await this.disk.write(content.subarray(done, done + bytes), offset);
      done += bytes;
    }
  }

  private async fill(chain: readonly number[], content: Uint8Array): Promise<void> {
    const bytes = this.layout.cluster;
    const whole = Buffer.alloc(chain.length * bytes);
    whole.set(content);
    for (let from = 0, to: number; from < chain.length; from = to) {
      // Consecutive clusters are written together.
      to = from + 1;
      while (to < chain.length && chain[to] === (chain[from] as number) + to - from) to++;
      const offset = this.clusters.offsetOf(chain[from] as number);
      await this.disk.write(whole.subarray(from * bytes, to * bytes), offset);
    }
  }

  private bad(why: string): PiError {
    return new PiError(`${this.disk.name}: the boot partition ${why}`);
  }
}

function split(path: string): { parents: string[]; name: string } {
  const parts = path.split('/').filter(Boolean);
  return { parents: parts.slice(0, -1), name: parts.at(-1) ?? '' };
}

function named(entries: readonly Entry[], name: string): Entry | undefined {
  return entries.find((entry) => entry.name.toLowerCase() === name.toLowerCase());
}
