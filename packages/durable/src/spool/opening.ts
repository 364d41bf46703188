/** What is in a spool's folder: the segments in their order, what is whole in them, and what is not. */
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../atomic-file.ts';
import type { Note } from './line.ts';
import type { Places } from './places.ts';
import { type Beginning, beginningOf, type Scan, scanSegment } from './scan.ts';
import { bySegmentName, type Segment, segmentName, seqOfName } from './segment.ts';

/** What was not whole when a spool was opened. */
export interface SpoolDamage {
  /** Lines that were not whole. */
  lines: number;
  /** Sequence numbers that were acknowledged, or have others behind them, and are not there. */
  missing: number;
  /** Of the lines that were not whole. */
  bytes: number;
  /** Files where such bytes were put aside: the first megabyte of a segment's, or all of a segment without a whole line. */
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
  /** Nothing is missing, and the newest segment is whole to its end: it can be gone on with. */
  canContinue: boolean;
}

/** Files with damaged or torn bytes that are kept; of more, the oldest go. */
const mostKeptFiles = 20;
/** How much of one segment's damaged bytes is put aside. */
const mostKept = 1024 * 1024;
const suffix = '.damaged';

/** What a spool's mark says: all records before `next` were acknowledged, and those before `first` trimmed. */
export interface Acknowledged {
  first: number;
  next: number;
}

/** @throws Error Of the system. */
export async function examine(folder: string, mark?: Acknowledged): Promise<Found> {
  const acknowledged = mark?.next ?? 1;
  const damage: SpoolDamage = { lines: 0, missing: 0, bytes: 0, kept: [] };
  const { beginnings, atLeast, tornBytes } = await beginningsIn(folder, damage);
  const scans: Scan[] = [];
  let seen = 0;
  for (const [position, beginning] of beginnings.entries()) {
    const limit = limitOf(beginning, beginnings.slice(position + 1));
    const isNewest = position === beginnings.length - 1;
    const scan = await scanSegment(beginning, { seen, limit, isNewest, acknowledged });
    if (scan.records > 0) seen = scan.segment.last;
    damage.lines += scan.damagedLines;
    damage.bytes += scan.damagedBytes;
    if (scan.damagedLines > 0) await putAside(scan.segment, damage);
    scans.push(scan);
  }

  const notes = scans.flatMap(({ note }) => note ?? []);
  const newest = scans.at(-1);
  const first = scans.find(({ records }) => records > 0)?.segment.first;
  const known = Math.max(seen + 1, ...notes.map((note) => note.next));
  const next = Math.max(acknowledged, scans.length > 0 ? known : atLeast);
  const noted = notes.at(-1)?.first ?? first ?? (mark === undefined ? next : 1);
  const floor = Math.max(noted, mark?.first ?? 1);
  const kept = await finishTrimming(scans, floor);
  const records = kept.reduce((sum, scan) => sum + scan.records, 0);
  damage.missing = Math.max(0, next - floor - records);
  const dropped = await dropOldest(folder);
  damage.kept = damage.kept.filter((path) => !dropped.includes(path));
  return {
    segments: kept.map(({ segment }) => segment),
    next,
    floor,
    cursors: cursorsOf(notes.at(-1), next),
    number: Math.max(0, ...scans.map(({ segment }) => segment.number ?? 0)),
    damage: damage.lines > 0 || damage.missing > 0 ? damage : undefined,
    tornBytes: tornBytes + (newest?.tornBytes ?? 0),
    // What is behind a gap goes into a segment of its own, so that the gap can be trimmed.
    canContinue: newest !== undefined && isWhole(newest) && damage.missing === 0,
  };
}

/** Where the newest records have vanished, others get their numbers: nobody may pass over them. */
function cursorsOf(note: Note | undefined, next: number): Map<string, number> {
  const cursors = Object.entries(note?.cursors ?? {});
  return new Map(cursors.map(([name, place]) => [name, Math.min(place, next)]));
}

function isWhole({ segment, endsWithNewline }: Scan): boolean {
  return segment.number !== undefined && segment.damaged.all.length === 0 && endsWithNewline;
}

/** In the order in which they were begun. Where there is none, `atLeast` is what names say of the next sequence number. */
async function beginningsIn(folder: string, damage: SpoolDamage) {
  const names = (await readdir(folder))
    .filter((name) => segmentName.test(name))
    .sort(bySegmentName);
  const beginnings: Beginning[] = [];
  let atLeast = 1;
  let tornBytes = 0;
  for (const name of names) {
    const path = join(folder, name);
    const info = await stat(path);
    if (!info.isFile()) continue;
    const beginning = await beginningOf(path);
    if ('path' in beginning) {
      beginnings.push(beginning);
      continue;
    }
    atLeast = Math.max(atLeast, seqOfName(name));
    if (name === names.at(-1) && beginning.mayBeTorn) {
      // It was being begun when the process died – or it is somebody's file.
      tornBytes += info.size;
      await (info.size === 0 ? rm(path) : rename(path, `${path}${suffix}`));
    } else {
      damage.lines += 1;
      damage.bytes += info.size;
      await rename(path, `${path}${suffix}`);
      damage.kept.push(`${path}${suffix}`);
    }
  }
  beginnings.sort((one, other) => one.first - other.first || order(one) - order(other));
  return { beginnings, atLeast, tornBytes };
}

function order({ number }: Beginning): number {
  return number ?? 0;
}

/**
 * A segment begins with the sequence number that comes next; what an older one has from there on was refused, and could
 * not be taken out. A copy of a file is not a later segment.
 */
function limitOf({ number }: Beginning, later: Beginning[]): number {
  const next = later.find((other) => other.number !== undefined && other.number !== number);
  return next?.first ?? Number.POSITIVE_INFINITY;
}

/** The note that says what is trimmed is written before segments are deleted. */
async function finishTrimming(scans: Scan[], floor: number): Promise<Scan[]> {
  const kept: Scan[] = [];
  for (const scan of scans) {
    if (scan.segment.last >= floor || scan === scans.at(-1)) kept.push(scan);
    else await rm(scan.segment.path, { force: true });
  }
  return kept;
}

/** Best effort: on a full disk they are only where they were. */
async function putAside({ path, damaged }: Segment, damage: SpoolDamage) {
  try {
    await writeFileAtomic(`${path}${suffix}`, await bytesOf(path, damaged));
    damage.kept.push(`${path}${suffix}`);
  } catch {
    // `kept` does not name it.
  }
}

async function bytesOf(path: string, { all }: Places): Promise<Buffer> {
  const kept = Buffer.alloc(mostKept);
  let filled = 0;
  const handle = await open(path, 'r');
  try {
    for (const { start, end } of all) {
      const length = Math.min(end - start, mostKept - filled);
      if (length > 0) filled += (await handle.read(kept, filled, length, start)).bytesRead;
    }
  } finally {
    await handle.close();
  }
  return kept.subarray(0, filled);
}

async function dropOldest(folder: string): Promise<string[]> {
  const names = (await readdir(folder))
    .filter((name) => /\.spool\.(damaged|torn)$/.test(name))
    .sort();
  const paths = names.slice(0, -mostKeptFiles).map((name) => join(folder, name));
  for (const path of paths) await rm(path, { force: true });
  return paths;
}
