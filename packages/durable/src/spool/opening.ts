/** What is in a spool's folder: the segments in their order, what is whole in them, and what is not. */
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../atomic-file.ts';
import type { Note } from './line.ts';
import { readLines } from './lines.ts';
import { chunksOf, mark, type Segment, segmentName } from './segment.ts';

/** What was not whole when a spool was opened. */
export interface SpoolDamage {
  /** Lines that were not whole. */
  lines: number;
  /** Sequence numbers that should be there and are not. */
  missing: number;
  /** Of the lines that were not whole. */
  bytes: number;
  /** Files where such bytes were put aside; a file holds the first megabyte of them. */
  kept: string[];
}

export interface Found {
  segments: Segment[];
  /** Sequence number of the next record. */
  next: number;
  /** Of the oldest record that was not trimmed. */
  floor: number;
  cursors: Map<string, number>;
  /** Highest number of a segment. */
  number: number;
  damage: SpoolDamage | undefined;
  tornBytes: number;
  /** The newest segment is whole to its end: it can be gone on with. */
  canContinue: boolean;
}

/** How much of one segment's damaged bytes is put aside. */
const mostKept = 1024 * 1024;

/** @throws Error Of the system. */
export async function examine(folder: string): Promise<Found> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const damage: SpoolDamage = { lines: 0, missing: 0, bytes: 0, kept: [] };
  const found: Found = {
    segments: [],
    next: 1,
    floor: 1,
    cursors: new Map(),
    number: 0,
    damage: undefined,
    tornBytes: 0,
    canContinue: false,
  };
  const beginnings = await beginningsIn(folder, found, damage);
  let newest: Note | undefined;
  let counts: { segment: Segment; records: number }[] = [];
  let seen = 0;
  for (const beginning of beginnings) {
    const scan = await scanSegment(beginning, seen, beginning === beginnings.at(-1));
    const { segment } = scan;
    seen = Math.max(seen, segment.last);
    newest = scan.note ?? newest;
    found.number = Math.max(found.number, segment.number ?? 0);
    found.next = Math.max(found.next, segment.last + 1, scan.note?.next ?? 1);
    found.tornBytes += scan.tornBytes;
    found.canContinue = scan.canContinue;
    damage.lines += scan.damagedLines;
    damage.bytes += scan.damagedBytes;
    if (scan.kept.length > 0) await putAside(segment.path, scan.kept, damage);
    counts.push({ segment, records: scan.records });
  }
  found.floor = newest?.first ?? counts.find(({ records }) => records > 0)?.segment.first ?? 1;
  found.cursors = new Map(Object.entries(newest?.cursors ?? {}));
  // Trimming was cut short: the note came first.
  const isTrimmed = ({ last, path }: Segment) =>
    last < found.floor && path !== counts.at(-1)?.segment.path;
  for (const { segment } of counts) {
    if (isTrimmed(segment)) await rm(segment.path, { force: true });
  }
  counts = counts.filter(({ segment }) => !isTrimmed(segment));
  found.segments = counts.map(({ segment }) => segment);
  const records = counts.reduce((sum, count) => sum + count.records, 0);
  damage.missing = Math.max(0, found.next - found.floor - records);
  if (damage.lines > 0 || damage.missing > 0) found.damage = damage;
  return found;
}

interface Beginning {
  path: string;
  number: number | undefined;
  first: number;
  limit: number;
}

/** By the first line that is whole: a name says little, files are renamed and copied. */
async function beginningsIn(folder: string, found: Found, damage: SpoolDamage) {
  const names = (await readdir(folder)).filter((name) => segmentName.test(name)).sort();
  const beginnings: Beginning[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (!info?.isFile()) continue;
    const beginning = await beginningOf(path);
    if (beginning) {
      beginnings.push(beginning);
    } else if (name === names.at(-1) && !(await hasNewline(path))) {
      // A segment that was begun when the power was cut.
      found.tornBytes += info.size;
      await rm(path, { force: true });
    } else {
      damage.lines += 1;
      damage.bytes += info.size;
      await rename(path, `${path}.damaged`);
      damage.kept.push(`${path}.damaged`);
    }
  }
  beginnings.sort((a, b) => a.first - b.first || (a.number ?? 0) - (b.number ?? 0));
  for (const [position, beginning] of beginnings.entries()) {
    const later = beginnings
      .slice(position + 1)
      .find(({ number }) => number !== undefined && number !== beginning.number);
    beginning.limit = later?.first ?? Number.POSITIVE_INFINITY;
  }
  return beginnings;
}

async function beginningOf(path: string): Promise<Beginning | undefined> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    let beginning: Beginning | undefined;
    for await (const { bytes, offset } of chunksOf(handle, 0, () => size)) {
      readLines(bytes, offset, {
        record: (first) => {
          beginning ??= { path, number: undefined, first, limit: 0 };
        },
        note: ({ segment, next }) => {
          beginning ??= { path, number: segment, first: next, limit: 0 };
        },
      });
      if (beginning) break;
    }
    return beginning;
  } finally {
    await handle.close();
  }
}

async function hasNewline(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    for await (const { bytes } of chunksOf(handle, 0, () => size)) {
      if (bytes.includes(10)) return true;
    }
    return false;
  } finally {
    await handle.close();
  }
}

interface Scan {
  segment: Segment;
  /** The last one. */
  note: Note | undefined;
  records: number;
  damagedLines: number;
  damagedBytes: number;
  kept: Buffer[];
  tornBytes: number;
  canContinue: boolean;
}

async function scanSegment(beginning: Beginning, seen: number, isLast: boolean): Promise<Scan> {
  const handle = await open(beginning.path, isLast ? 'r+' : 'r');
  try {
    const { size } = await handle.stat();
    const { path, number, first, limit } = beginning;
    const segment: Segment = {
      path,
      number,
      first,
      last: first - 1,
      limit,
      end: size,
      marks: [],
      damaged: new Set(),
    };
    const scan: Scan = {
      segment,
      note: undefined,
      records: 0,
      damagedLines: 0,
      damagedBytes: 0,
      kept: [],
      tornBytes: 0,
      canContinue: true,
    };
    let keptBytes = 0;
    let previous = seen;
    let endsWithNewline = size === 0;
    for await (const chunk of chunksOf(handle, 0, () => size)) {
      endsWithNewline = chunk.bytes.at(-1) === 10;
      readLines(chunk.bytes, chunk.offset, {
        record(seq, _bytes, _start, _end, offset) {
          if (seq <= previous || seq >= limit) return;
          if (scan.records === 0) segment.first = seq;
          scan.records += 1;
          segment.last = seq;
          previous = seq;
          mark(segment.marks, seq, offset);
        },
        note(note) {
          // One beyond the limit belongs to records that were withdrawn.
          if (note.next <= limit) scan.note = note;
        },
        damaged(bytes, start, end, offset) {
          if (isLast && offset + end - start === size && bytes[end - 1] !== 10) {
            scan.tornBytes = end - start;
            segment.end = offset;
            return;
          }
          segment.damaged.add(offset);
          scan.damagedLines += 1;
          scan.damagedBytes += end - start;
          const kept = Buffer.from(
            bytes.subarray(start, Math.min(end, start + mostKept - keptBytes)),
          );
          keptBytes += kept.length;
          if (kept.length > 0) scan.kept.push(kept);
        },
      });
    }
    if (scan.tornBytes > 0) endsWithNewline = await cut(handle, segment.end);
    scan.canContinue = endsWithNewline && segment.damaged.size === 0;
    return scan;
  } finally {
    await handle.close();
  }
}

/** @returns Whether what comes next can be written there. */
async function cut(handle: FileHandle, end: number): Promise<boolean> {
  try {
    await handle.truncate(end);
    await handle.datasync();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, end - 1);
    return buffer[0] === 10;
  } catch {
    return false;
  }
}

/** Best effort: on a full disk they stay where they are, and only there. */
async function putAside(path: string, kept: Buffer[], damage: SpoolDamage) {
  try {
    await writeFileAtomic(`${path}.damaged`, Buffer.concat(kept));
    damage.kept.push(`${path}.damaged`);
  } catch {
    // Told by its absence.
  }
}
