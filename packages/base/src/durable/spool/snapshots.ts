/**
 * The snapshot of a spool: the state after its records, in one file next to the segments. Records that it covers need not
 * be kept in the spool, nor read at the next opening.
 *
 * The file has lines like a segment (`spool/line.ts`), so a damaged byte loses one record. The first line has the number
 * of the spool's next record and the number of lines. The spool contains the same number as a cursor, which is evidence that
 * there was a snapshot.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '@skolo/base';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { openIfThere } from '../files/line-file.ts';
import { encodeLines, isSequence, textOf } from './line.ts';
import { readLines } from './lines.ts';
import { chunksOf } from './segment.ts';
import type { Spool } from './spool.ts';

export interface Snapshot {
  /** Sequence number of the first record of the spool that it does not cover. */
  next: number;
  /** Number of texts. */
  count: number;
  /** Read once, while they are written. So they must not depend on later changes. */
  texts: Iterable<string>;
}

/** A snapshot on the disk. Its texts can be read once. */
export interface FoundSnapshot extends Omit<Snapshot, 'count'> {
  /** First record of the spool to replay, because older ones may still contain what the snapshot lost. */
  from: number;
  /** Number of damaged or missing texts; undefined if the first line is damaged. */
  lost: number | undefined;
  /** Whether it is undamaged. */
  isWhole: boolean;
}

const cursor = '.snapshot';
export const snapshotName = 'snapshot';

export class Snapshots {
  /** First record that the newest snapshot does not cover. */
  next = 1;
  /** The files have damage that the next start would report again. */
  isDamaged: boolean;
  private readonly spool: Spool;
  private readonly snapshot: () => Snapshot;
  private readonly file: string;
  private bytesThen = 0;
  private restoredThen = 0;
  private isThere = false;
  private writing: Promise<void> = Promise.resolve();

  /** @param snapshot the present state and its position in the spool */
  constructor(spool: Spool, snapshot: () => Snapshot) {
    this.spool = spool;
    this.snapshot = snapshot;
    this.file = join(spool.folder, snapshotName);
    this.isDamaged = spool.damage !== undefined;
  }

  /**
   * Must be called first.
   *
   * @returns undefined if there was none yet; `lost` if it is missing
   * @throws Error From the system.
   */
  async read(): Promise<FoundSnapshot | 'lost' | undefined> {
    const noted = this.spool.cursor(cursor);
    const found = await readSnapshot(this.file, noted ?? 1);
    if (found === undefined) {
      if (noted === undefined) return undefined;
      this.isDamaged = true;
      return 'lost';
    }
    this.isThere = true;
    this.next = found.next;
    this.isDamaged ||= !found.isWhole;
    // If the spool ends earlier, new records get numbers that the snapshot would skip.
    if (noted !== found.next) this.spool.setCursor(cursor, found.next);
    const isReplayed = !found.isWhole && found.next <= this.spool.next;
    return { ...found, from: isReplayed ? this.spool.first : found.next };
  }

  /** @throws FileNotWritten */
  async write(): Promise<void> {
    // One at a time: an older one must not replace a newer one.
    const written = this.writing.then(() => this.writeNow());
    this.writing = written.catch(() => undefined);
    await written;
  }

  private async writeNow() {
    const snapshot = this.snapshot();
    const { next } = snapshot;
    const bytes = this.spool.bytes;
    await writeSnapshot(this.file, snapshot);
    this.isThere = true;
    this.next = next;
    this.bytesThen = bytes;
    this.spool.setCursor(cursor, next);
  }

  /**
   * Writes a snapshot when due, and deletes records that are no longer needed.
   *
   * @param done first record that readers still need
   * @param mostBytes limit of the spool that a start reads
   * @throws FileNotWritten, StorageUnavailable
   */
  async shrink(done: number, mostBytes: number): Promise<void> {
    const { spool } = this;
    const isLong = spool.bytes - this.bytesThen > mostBytes;
    const holdsUp = spool.bytes > mostBytes && done > this.next;
    const isCleared = this.isDamaged && done === spool.next;
    if ((isLong || holdsUp || isCleared) && (isCleared || this.snapshot().next !== this.next)) {
      await this.write();
    }
    if (done > spool.first || isCleared) {
      await spool.trim(Math.min(done, this.next));
      this.bytesThen = Math.min(this.bytesThen, spool.bytes);
    }
    if (isCleared) this.isDamaged = false;
  }

  /**
   * Checks whether the directory was deleted while in use, and writes it again.
   *
   * @returns whether it was deleted
   * @throws FileNotWritten, StorageUnavailable
   */
  async restore(): Promise<boolean> {
    const restored = await this.spool.restore();
    const isRestored = restored > this.restoredThen;
    if (isRestored || (this.isThere && !(await isThere(this.file)))) await this.write();
    this.restoredThen = restored;
    return isRestored;
  }
}

/** @throws FileNotWritten */
export async function writeSnapshot(file: string, snapshot: Snapshot): Promise<void> {
  await writeFileAtomic(file, piecesOf(snapshot));
}

/** Characters that are written at once: all texts do not fit into memory beside what they describe. */
const pieceLength = 2 ** 18;

function* piecesOf({ next, count, texts }: Snapshot): Generator<Uint8Array> {
  yield encodeLines([], 1, [JSON.stringify({ next, lines: count })]);
  let line = 2;
  let piece: string[] = [];
  let length = 0;
  for (const text of texts) {
    piece.push(text);
    length += text.length;
    if (length < pieceLength) continue;
    yield encodeLines([], line, piece);
    line += piece.length;
    piece = [];
    length = 0;
  }
  yield encodeLines([], line, piece);
}

/** @param noted its position, if the first line is damaged */
async function readSnapshot(
  file: string,
  noted: number,
): Promise<Omit<FoundSnapshot, 'from'> | undefined> {
  await using handle = await openIfThere(file);
  if (handle === undefined) return undefined;
  const texts: Buffer[] = [];
  let first: { next: number; lines: number } | undefined;
  let damaged = 0;
  let seen = 0;
  const { size } = await handle.stat();
  for await (const { bytes, offset } of chunksOf(handle, 0, () => size)) {
    readLines(bytes, offset, {
      record(line, _bytes, start, end) {
        if (line <= seen) return;
        seen = line;
        const text = textOf(bytes, start, end, line);
        if (line === 1) first = firstLineOf(text);
        else texts.push(Buffer.from(text));
      },
      damaged: () => {
        damaged += 1;
      },
    });
  }
  const lost = first && first.lines - texts.length;
  const isWhole = damaged === 0 && lost === 0;
  return { next: first?.next ?? noted, texts: decode(texts), lost, isWhole };
}

function* decode(texts: Buffer[]): Generator<string> {
  for (const text of texts) yield text.toString();
}

function firstLineOf(text: string): { next: number; lines: number } | undefined {
  const { next, lines } = JSON.parse(text);
  return isSequence(next) && typeof lines === 'number' ? { next, lines } : undefined;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ENOENT';
  }
}
