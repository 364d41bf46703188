/**
 * Scans a segment of a journal or spool after a restart. Decides whether its end is torn by a crash or a power cut, and which other lines
 * are damaged.
 */
import { open } from 'node:fs/promises';
import { writeFileAtomic } from '../files/atomic-file.ts';
import type { Note } from './line.ts';
import { type LineSink, readLines } from './lines.ts';
import { addToIndex, chunksOf, newSegment, type Segment } from './segment.ts';

/** The first undamaged line. Names are not reliable: files are renamed and copied. */
export interface Beginning {
  path: string;
  /** Undefined if the first line is not a note. */
  number: number | undefined;
  /** Sequence number with which it began. */
  first: number;
}

/** Without an undamaged line: whether the bytes may be a line that a crash left incomplete. */
export async function beginningOf(path: string): Promise<Beginning | { mayBeTorn: boolean }> {
  let beginning: Beginning | undefined;
  let mayBeTorn = true;
  const sink: LineSink = {
    record(first) {
      beginning ??= { path, number: undefined, first };
    },
    note({ segment, next }) {
      beginning ??= { path, number: segment, first: next };
    },
    damaged(bytes, start, end) {
      const found = bytes.subarray(start, end);
      mayBeTorn &&= !found.includes(10) && !found.includes(0);
    },
  };
  await using handle = await open(path, 'r');
  const { size } = await handle.stat();
  for await (const { bytes, offset } of chunksOf(handle, 0, () => size)) {
    readLines(bytes, offset, sink);
    if (beginning) return beginning;
  }
  return { mayBeTorn };
}

export interface Scan {
  segment: Segment;
  /** The last one. */
  note: Note | undefined;
  records: number;
  damagedLines: number;
  damagedBytes: number;
  /** Bytes of an incomplete, unacknowledged last line. Only in the newest segment. */
  tornBytes: number;
  endsWithNewline: boolean;
}

interface ScanOptions {
  /** Sequence number of the last record before this segment. */
  seen: number;
  /** Sequence number with which the next segment begins. */
  limit: number;
  isNewest: boolean;
  /** All records before this sequence number were acknowledged. */
  acknowledged: number;
}

/** Counts the records after `seen` and before `limit`; others are duplicates, or were withdrawn. */
export async function scanSegment(
  { path, number, first }: Beginning,
  { seen, limit, isNewest, acknowledged }: ScanOptions,
): Promise<Scan> {
  const segment = { ...newSegment(path, number, first), limit };
  const scan: Scan = {
    segment,
    note: undefined,
    records: 0,
    damagedLines: 0,
    damagedBytes: 0,
    tornBytes: 0,
    endsWithNewline: true,
  };
  let previous = seen;
  let torn: { start: number; end: number } | undefined;
  const sink: LineSink = {
    record(seq, _bytes, _start, _end, offset) {
      if (seq <= previous || seq >= limit) return;
      if (scan.records === 0) segment.first = seq;
      scan.records += 1;
      segment.last = seq;
      previous = seq;
      addToIndex(segment.index, seq, offset);
    },
    note(note) {
      // A note beyond the limit was withdrawn.
      if (note.next <= limit) scan.note = note;
    },
    damaged(bytes, start, end, offset) {
      const place = { start: offset, end: offset + end - start };
      // A crash leaves a part of a write. Zeros come from the disk or the file system.
      const mayBeTorn = bytes[end - 1] !== 10 && !bytes.subarray(start, end).includes(0);
      if (isNewest && place.end === segment.end && mayBeTorn) torn = place;
      else addDamage(place);
    },
  };
  function addDamage({ start, end }: { start: number; end: number }) {
    segment.damaged.add(start, end);
    scan.damagedLines += 1;
    scan.damagedBytes += end - start;
  }
  await using handle = await open(path, 'r');
  segment.end = (await handle.stat()).size;
  for await (const { bytes, offset } of chunksOf(handle, 0, () => segment.end)) {
    readLines(bytes, offset, sink);
    scan.endsWithNewline = bytes.at(-1) === 10;
  }
  if (torn === undefined) return scan;
  if (Math.max(previous + 1, scan.note?.next ?? 0) < acknowledged) {
    addDamage(torn);
  } else {
    scan.tornBytes = torn.end - torn.start;
    segment.end = torn.start;
    scan.endsWithNewline = await cut(path, segment.end).catch(() => false);
  }
  return scan;
}

/** A torn line's bytes are kept in a file with this suffix. */
const tornSuffix = '.torn';
/** Limit of saved torn bytes. */
const mostTornBytes = 1024 * 1024;

/** Saves the bytes, unless the disk is full, and truncates the file. @returns whether it ends with a newline */
async function cut(path: string, end: number): Promise<boolean> {
  await using handle = await open(path, 'r+');
  const torn = await handle.read(Buffer.alloc(mostTornBytes), 0, mostTornBytes, end);
  const kept = torn.buffer.subarray(0, torn.bytesRead);
  await writeFileAtomic(`${path}${tornSuffix}`, kept).catch(() => undefined);
  await handle.truncate(end);
  await handle.datasync();
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, end - 1);
  return buffer[0] === 10;
}
