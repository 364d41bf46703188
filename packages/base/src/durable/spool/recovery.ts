/**
 * Reads the directory of a spool after a restart: segments in order, undamaged records, damage, and how much of the damaged data is kept.
 */
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import type { ByteRanges } from './byte-ranges.ts';
import type { Note } from './line.ts';
import { type Beginning, beginningOf, type Scan, scanSegment } from './scan.ts';
import { bySegmentName, type Segment, segmentName, seqOfName } from './segment.ts';

/** Damage found when a spool was opened. */
export interface SpoolDamage {
  /** Number of damaged lines. */
  lines: number;
  /** Number of missing records that were acknowledged or have successors. */
  missing: number;
  /** Bytes of damaged lines. */
  bytes: number;
  /** Files with damaged bytes: the first megabyte of a segment's, or a whole segment without an undamaged line. */
  kept: string[];
}

export interface Found {
  segments: Segment[];
  /** Sequence number of the next record. */
  next: number;
  /** Sequence number of the oldest record that was not trimmed. */
  floor: number;
  cursors: Map<string, number>;
  /** Highest number of a segment. */
  number: number;
  damage: SpoolDamage | undefined;
  tornBytes: number;
  /** No record is missing, and the newest segment is undamaged: appending can continue. */
  canContinue: boolean;
}

/** Limit of files with damaged or torn bytes; the oldest are deleted. */
const mostKeptFiles = 20;
/** Limit of saved damaged bytes of a segment. */
const mostKept = 1024 * 1024;
const suffix = '.damaged';

/** The mark of a spool: all records before `next` were acknowledged, and those before `first` trimmed. */
interface Acknowledged {
  first: number;
  next: number;
}

/** @throws Error From the system. */
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
    if (scan.damagedLines > 0) await saveDamaged(scan.segment, damage);
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
    // Records after a gap go into a new segment, so that the gap can be trimmed.
    canContinue: newest !== undefined && isWhole(newest) && damage.missing === 0,
  };
}

/** If the newest records are lost, new ones get their numbers, and cursors must not skip these. */
function cursorsOf(note: Note | undefined, next: number): Map<string, number> {
  const cursors = Object.entries(note?.cursors ?? {});
  return new Map(cursors.map(([name, place]) => [name, Math.min(place, next)]));
}

function isWhole({ segment, endsWithNewline }: Scan): boolean {
  return segment.number !== undefined && segment.damaged.all.length === 0 && endsWithNewline;
}

/** In the order of their creation. Without any, `atLeast` is the next sequence number from file names. */
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
      // The process died while creating it, or it is not a file of the spool.
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
 * A segment begins with the next sequence number. Records of an older segment from there on were rejected, but could not be
 * removed. A copy of a file is not a later segment.
 */
function limitOf({ number }: Beginning, later: Beginning[]): number {
  const next = later.find((other) => other.number !== undefined && other.number !== number);
  return next?.first ?? Number.POSITIVE_INFINITY;
}

/** Deletes trimmed segments: the note is written before they are deleted. */
async function finishTrimming(scans: Scan[], floor: number): Promise<Scan[]> {
  const kept: Scan[] = [];
  for (const scan of scans) {
    if (scan.segment.last >= floor || scan === scans.at(-1)) kept.push(scan);
    else await rm(scan.segment.path, { force: true });
  }
  return kept;
}

/** Best effort: a full disk has no copy. */
async function saveDamaged({ path, damaged }: Segment, damage: SpoolDamage) {
  try {
    await writeFileAtomic(`${path}${suffix}`, await bytesOf(path, damaged));
    damage.kept.push(`${path}${suffix}`);
  } catch {
    // `kept` does not contain it.
  }
}

async function bytesOf(path: string, { all }: ByteRanges): Promise<Buffer> {
  const kept = Buffer.alloc(mostKept);
  let filled = 0;
  await using handle = await open(path, 'r');
  for (const { start, end } of all) {
    const length = Math.min(end - start, mostKept - filled);
    if (length > 0) filled += (await handle.read(kept, filled, length, start)).bytesRead;
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
