/** One file of the spool: what is known of it in memory, and how its bytes are read. */
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../system-error.ts';
import { longestText } from './line.ts';
import { Places } from './places.ts';

export interface Segment {
  path: string;
  /** Of its notes; undefined where none is whole. */
  number: number | undefined;
  /** Sequence number of its first record; while it has none: of the one that comes next. */
  first: number;
  /** Sequence number of its last record; while it has none: `first - 1`. */
  last: number;
  /** Records from here on were withdrawn: their sequence numbers are those of a later segment. */
  limit: number;
  /** How many of its bytes are good and on the disk. */
  end: number;
  /** Places at which a reader may begin. */
  marks: Mark[];
  /** The same, of the newest appends. */
  latest: Mark[];
  /** Places that are known to be damaged. */
  damaged: Places;
}

export interface Mark {
  /** Of the first record from here on, or less. */
  seq: number;
  offset: number;
}

export function newSegment(path: string, number: number | undefined, first: number): Segment {
  const limit = Number.POSITIVE_INFINITY;
  const damaged = new Places();
  return { path, number, first, last: first - 1, limit, end: 0, marks: [], latest: [], damaged };
}

export const chunkBytes = 256 * 1024;
const longestLine = longestText + 64;
/** What a disk reads at least. */
const smallestRead = 4096;
const mostLatest = 64;

/** Segments by name: the sequence number of the first record; a suffix where the name was taken. */
export const segmentName = /^\d{16}(-\d+)?\.spool$/;

/** Oldest first: a name with a suffix is the later one. */
export function bySegmentName(one: string, other: string): number {
  return one.replace('.spool', '') < other.replace('.spool', '') ? -1 : 1;
}

/** What the name says, where the file says nothing. */
export function seqOfName(name: string): number {
  const seq = Number(name.slice(0, 16));
  return Number.isSafeInteger(seq) ? Math.max(1, seq) : 1;
}

export function segmentPath(folder: string, first: number, attempt: number): string {
  const suffix = attempt === 0 ? '' : `-${attempt}`;
  return join(folder, `${String(first).padStart(16, '0')}${suffix}.spool`);
}

/** Keeps a mark for each chunk, so that a reader who begins anywhere reads little in vain. */
export function mark(marks: Mark[], seq: number, offset: number): void {
  const last = marks.at(-1);
  if (last === undefined || offset - last.offset >= chunkBytes) marks.push({ seq, offset });
}

/** The same for what was appended just now: who follows reads nothing in vain. */
export function markAppended({ marks, latest }: Segment, seq: number, offset: number): void {
  mark(marks, seq, offset);
  latest.push({ seq, offset });
  if (latest.length > mostLatest * 2) latest.splice(0, mostLatest);
}

/** Where to begin in order to meet that record. */
export function offsetOf({ marks, latest }: Segment, seq: number): number {
  return (latest[0]?.seq ?? seq + 1) <= seq ? offsetIn(latest, seq) : offsetIn(marks, seq);
}

function offsetIn(marks: Mark[], seq: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((marks[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : (marks[low - 1]?.offset ?? 0);
}

export interface Chunk {
  /** Used again for the next chunk. */
  bytes: Buffer;
  /** Where in the file they begin. */
  offset: number;
}

/**
 * Whole lines, up to what `end` says whenever it gets there. Only a line without end comes in pieces, since memory
 * has to stay bounded.
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

/** Where the disk cannot be read there are zeros, so that what is whole before and behind it is found. */
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
    if (systemCode(error) !== 'EIO') throw error;
    const piece = Math.min(length, smallestRead - (from % smallestRead));
    if (length > piece) return readAt(handle, buffer, at, piece, from);
    buffer.fill(0, at, at + length);
    return length;
  }
}
