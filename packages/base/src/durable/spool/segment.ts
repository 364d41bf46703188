/** A segment: one file of the spool. */
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '@skolo/base';
import { ByteRanges } from './byte-ranges.ts';
import { longestText } from './line.ts';

export interface Segment {
  path: string;
  /** From its notes; undefined if all are damaged. */
  number: number | undefined;
  /** Sequence number of its first record, or of the next one while it has none. */
  first: number;
  /** Sequence number of its last record; while it has none: `first - 1`. */
  last: number;
  /** Records from here on were withdrawn: a later segment has their sequence numbers. */
  limit: number;
  /** Number of valid bytes on the disk. */
  end: number;
  /** Offsets where a reader can begin. */
  index: IndexEntry[];
  /** Offsets of the newest appends. */
  recent: IndexEntry[];
  /** Known damaged ranges. */
  damaged: ByteRanges;
}

interface IndexEntry {
  /** Not more than that of the first record after the offset. */
  seq: number;
  offset: number;
}

export function newSegment(path: string, number: number | undefined, first: number): Segment {
  const limit = Number.POSITIVE_INFINITY;
  const damaged = new ByteRanges();
  return { path, number, first, last: first - 1, limit, end: 0, index: [], recent: [], damaged };
}

export const chunkBytes = 256 * 1024;
const longestLine = longestText + 64;
/** Smallest read of a disk. */
const smallestRead = 4096;
const mostRecent = 64;

/** The sequence number of the first record, with a suffix if the name was taken. */
export const segmentName = /^\d{16}(-\d+)?\.spool$/;

/** Oldest first; a name with a suffix is later. */
export function bySegmentName(one: string, other: string): number {
  return one.replace('.spool', '') < other.replace('.spool', '') ? -1 : 1;
}

/** The sequence number in a name. */
export function seqOfName(name: string): number {
  const seq = Number(name.slice(0, 16));
  return Number.isSafeInteger(seq) ? Math.max(1, seq) : 1;
}

export function segmentPath(folder: string, first: number, attempt: number): string {
  const suffix = attempt === 0 ? '' : `-${attempt}`;
  return join(folder, `${String(first).padStart(16, '0')}${suffix}.spool`);
}

/** Keeps an offset for each chunk, so that a reader skips little. */
export function addToIndex(index: IndexEntry[], seq: number, offset: number): void {
  const last = index.at(-1);
  if (last === undefined || offset - last.offset >= chunkBytes) index.push({ seq, offset });
}

/** Also keeps the offset of the newest appends, for readers at the end. */
export function indexAppended({ index, recent }: Segment, seq: number, offset: number): void {
  addToIndex(index, seq, offset);
  recent.push({ seq, offset });
  if (recent.length > mostRecent * 2) recent.splice(0, mostRecent);
}

/** Offset to begin at for a record. */
export function offsetOf({ index, recent }: Segment, seq: number): number {
  return (recent[0]?.seq ?? seq + 1) <= seq ? offsetIn(recent, seq) : offsetIn(index, seq);
}

function offsetIn(index: IndexEntry[], seq: number): number {
  let low = 0;
  let high = index.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((index[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : (index[low - 1]?.offset ?? 0);
}

export interface Chunk {
  /** Reused for the next chunk. */
  bytes: Buffer;
  /** Offset in the file. */
  offset: number;
}

/**
 * Complete lines, up to the present `end()`. Splits only an endless line, to bound memory.
 */
export async function* chunksOf(
  handle: FileHandle,
  from: number,
  end: () => number,
): AsyncGenerator<Chunk> {
  const expected = Math.max(end() - from, smallestRead);
  let buffer = Buffer.allocUnsafe(Math.min(expected, chunkBytes));
  let offset = from;
  let filled = 0;
  for (;;) {
    const wanted = Math.min(buffer.length - filled, end() - offset - filled);
    const got = wanted > 0 ? await readAt(handle, buffer, filled, wanted, offset + filled) : 0;
    filled += got;
    const isLast = got === 0;
    const usable = isLast ? filled : buffer.lastIndexOf(10, filled - 1) + 1;
    if (usable > 0) {
      yield { bytes: buffer.subarray(0, usable), offset };
      buffer.copyWithin(0, usable, filled);
      offset += usable;
      filled -= usable;
    } else if (isLast) {
      return;
    } else if (filled >= longestLine) {
      yield { bytes: buffer.subarray(0, filled), offset };
      offset += filled;
      filled = 0;
    } else if (filled === buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2, longestLine));
      buffer.copy(larger, 0, 0, filled);
      buffer = larger;
    }
    if (filled === 0 && buffer.length > chunkBytes) buffer = Buffer.allocUnsafe(chunkBytes);
  }
}

/** Replaces unreadable sectors with zeros, so that records before and after them are found. */
async function readAt(
  handle: FileHandle,
  buffer: Buffer,
  at: number,
  length: number,
  from: number,
): Promise<number> {
  try {
    return (await handle.read(buffer, at, length, from)).bytesRead;
  } catch (error) {
    if (errorCode(error) !== 'EIO') throw error;
    const piece = Math.min(length, smallestRead - (from % smallestRead));
    if (length > piece) return readAt(handle, buffer, at, piece, from);
    buffer.fill(0, at, at + length);
    return length;
  }
}
