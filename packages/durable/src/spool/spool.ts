/**
 * An ordered log with several readers, each with its own place, that survives kill -9 and power cuts: what was accepted
 * and is owed to somebody.
 *
 * Files of lines, since it is all appended and all read in order; `line.ts` says what a line is.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import { Mark, markOf, readMark } from '../mark.ts';
import { StorageUnavailable } from '../unavailable.ts';
import { Cursors } from './cursors.ts';
import { GroupCommit } from './group-commit.ts';
import { longestText } from './line.ts';
import { lock } from './lock.ts';
import { examine, type Found, type SpoolDamage } from './opening.ts';
import { readRecords, type SpoolRecord, type Trouble } from './reading.ts';
import type { Segment } from './segment.ts';
import { Watchers } from './watchers.ts';
import { Writer } from './writer.ts';

export interface SpoolOptions {
  /** How large a segment becomes before the next one begins; default 16 MiB. */
  segmentBytes?: number;
  /** Milliseconds, of a clock that does not jump. */
  now?: () => number;
}

interface Work {
  texts: readonly string[];
  bytes: number;
  /** Begins a new segment, so that the one before can be deleted. */
  isReplacing?: boolean;
  /** Looks whether the newest segment is still there. */
  isLooking?: boolean;
}

/** In a folder of its own, where versions with LevelDB have theirs. */
function lockOf(folder: string): string {
  return join(folder, 'lock', 'LOCK');
}

/** A newest segment of which all is done is replaced from this size on. */
const worthReplacing = 1024 * 1024;

export class Spool {
  readonly folder: string;
  /** What was not whole when it was opened, but for a last line that was not written to its end. */
  readonly damage: SpoolDamage | undefined;
  /**
   * Of a last line that was not written to its end, as a crash leaves it. It was not acknowledged: it is cut off, and kept
   * in a file named after the segment.
   */
  readonly tornBytes: number;
  private readonly segmentBytes: number;
  private readonly unlock: () => void;
  private readonly writer: Writer;
  private readonly places: Cursors;
  private readonly commits: GroupCommit<Work>;
  private readonly watchers = new Watchers();
  private readonly mark: Mark;
  private trimming: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;
  private unreadableRecords = 0;

  private constructor(
    folder: string,
    segmentBytes: number,
    found: Found,
    parts: { writer: Writer; places: Cursors; mark: Mark; unlock: () => void },
  ) {
    this.folder = folder;
    this.segmentBytes = segmentBytes;
    this.damage = found.damage;
    this.tornBytes = found.tornBytes;
    this.writer = parts.writer;
    this.places = parts.places;
    this.mark = parts.mark;
    this.unlock = parts.unlock;
    this.commits = new GroupCommit((work) => this.write(work));
  }

  /**
   * Creates the folder where there is none. Whatever is damaged, what is whole is there, and `damage` says what is not.
   *
   * @throws StorageUnavailable
   */
  static async open(folder: string, options: SpoolOptions = {}): Promise<Spool> {
    const { segmentBytes = 16 * 1024 * 1024, now = () => performance.now() } = options;
    let unlock: (() => void) | undefined;
    try {
      await makeFolder(folder);
      unlock = await lock(lockOf(folder));
      const [first = 1, next = 1] = (await readMark(markOf(folder))) ?? [];
      const found = await examine(folder, next > 1 ? { first, next } : undefined);
      const places = new Cursors(found.cursors);
      const writer = await Writer.open(folder, { segmentBytes, now }, found, places);
      const mark = new Mark(markOf(folder));
      const spool = new Spool(folder, segmentBytes, found, { writer, places, mark, unlock });
      if (writer.isWhole) spool.setMark();
      return spool;
    } catch (error) {
      unlock?.();
      throw new StorageUnavailable(folder, 'not opened', error);
    }
  }

  /** Sequence number of the oldest record; `next` where there is none. */
  get first(): number {
    const oldest = this.writer.segments.find(({ first, last }) => last >= first);
    return oldest?.first ?? this.next;
  }

  /** Sequence number of the next record. It begins with 1 and never goes back. */
  get next(): number {
    return this.writer.next;
  }

  /** How often the newest segment was written anew, since somebody had deleted it. */
  get restored(): number {
    return this.writer.restored;
  }

  /** What it takes of the disk. */
  get bytes(): number {
    return this.writer.segments.reduce((sum, { end }) => sum + end, 0);
  }

  /** Records that became unreadable after it was opened, and that a reader met. */
  get unreadable(): number {
    return this.unreadableRecords;
  }

  /**
   * Fulfilled with the first text's sequence number once all are on the disk. Those that wait together share one write
   * and one sync, and keep their order.
   *
   * @throws StorageUnavailable Nothing of it is there. Others that waited may be written.
   * @throws TypeError A text has a newline, or is longer than 16 MiB.
   */
  async append(texts: readonly string[]): Promise<number> {
    let sum = 0;
    for (const text of texts) {
      const bytes = Buffer.byteLength(text);
      if (bytes > longestText || text.includes('\n')) {
        throw new TypeError(`a text has a newline, or more than ${longestText} bytes`);
      }
      sum += bytes;
    }
    return this.run({ texts, bytes: sum });
  }

  /**
   * Records from there on, in order, to the newest one that is on the disk when the reader gets there.
   *
   * @throws StorageUnavailable
   */
  async *read(from: number): AsyncGenerator<SpoolRecord> {
    for await (const records of this.readMany(from)) yield* records;
  }

  /** As `read`, by some hundred records at a time: what about 256 KiB hold. */
  async *readMany(from: number): AsyncGenerator<SpoolRecord[]> {
    this.refuseIfClosed('not read');
    const trouble: Trouble = {
      unreadable: (records) => {
        this.unreadableRecords += records;
      },
      gone: (segment) => this.isBack(segment),
    };
    try {
      yield* readRecords(this.writer.segments, from, trouble);
    } catch (error) {
      throw this.unavailable('not read', error);
    }
  }

  /** Fulfilled when `spool.next` is greater than that. Rejected when the signal aborts, or the spool is closed. */
  async changed(next: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.next > next) return;
    this.refuseIfClosed('not read');
    await this.watchers.wait(next, signal);
  }

  /** The sequence number that this reader wants next; where that is gone, the oldest one that is there. */
  cursor(name: string): number | undefined {
    const place = this.places.all.get(name);
    return place === undefined ? undefined : Math.max(place, this.first);
  }

  /** Durable with the next `append`, `sync`, `trim` or `close`. More than `next` means `next`. */
  setCursor(name: string, seq: number): void {
    this.places.set(name, Math.min(seq, this.next));
  }

  removeCursor(name: string): void {
    this.places.remove(name);
  }

  /** Names that begin with a dot are this package's own, and are not among them. */
  cursors(): ReadonlyMap<string, number> {
    const { first } = this;
    const others = [...this.places.all].filter(([name]) => !name.startsWith('.'));
    return new Map(others.map(([name, place]) => [name, Math.max(place, first)]));
  }

  /**
   * Writes the cursors, if they have changed; with `isProbe` in any case, to see whether the disk takes something.
   *
   * @throws StorageUnavailable
   */
  async sync({ isProbe = false } = {}): Promise<void> {
    if (isProbe) this.places.touch();
    if (this.places.isChanged) await this.run({ texts: [], bytes: 0 });
  }

  /**
   * Looks whether somebody has deleted the newest segment, or the whole folder, and writes what that segment held anew; so
   * does whatever reads, and an append 50 ms after the last look. Older segments are lost then: who reads them finds them
   * `unreadable`.
   *
   * @returns how often that was so since it was opened
   * @throws StorageUnavailable
   */
  async restore(): Promise<number> {
    await this.run({ texts: [], bytes: 0, isLooking: true });
    return this.writer.restored;
  }

  /**
   * Deletes segments of which every record is before that, and writes the cursors first. Only where the disk is too full
   * for them, room is made first: a cursor to what is gone then means the oldest record that is there.
   *
   * @throws StorageUnavailable
   */
  async trim(before: number): Promise<void> {
    const done = this.trimming.then(() => this.trimNow(before));
    this.trimming = done.catch(() => undefined);
    await done;
  }

  /** Finishes what waits, and writes the cursors if it can: without them, readers meet some records again. */
  close(): Promise<void> {
    this.closing ??= this.closeNow();
    return this.closing;
  }

  private async closeNow() {
    const last = this.sync().catch(() => undefined);
    await this.trimming;
    await last;
    await this.commits.idle();
    this.watchers.end(this.unavailable('not read', undefined, 'CLOSED'));
    await this.writer.close();
    await this.mark.close();
    this.unlock();
  }

  private async run(work: Work): Promise<number> {
    this.refuseIfClosed('not written');
    try {
      return await this.commits.run(work);
    } catch (error) {
      throw this.unavailable('not written', error);
    }
  }

  /** Whether a segment that was gone is there again. */
  private async isBack(segment: Segment): Promise<boolean> {
    if (segment !== this.writer.segments.at(-1)) return false;
    const { restored } = this.writer;
    await this.restore();
    return this.writer.restored > restored;
  }

  private setMark() {
    this.mark.set(this.writer.floor, this.next);
  }

  private async write(works: Work[]): Promise<number[]> {
    const { restored } = this.writer;
    try {
      return await this.writeAll(works);
    } finally {
      if (this.writer.restored > restored) {
        await this.mark.renew();
        this.setMark();
      }
    }
  }

  private async writeAll(works: Work[]): Promise<number[]> {
    const firsts: number[] = [];
    let { next } = this.writer;
    for (const { texts } of works) {
      firsts.push(next);
      next += texts.length;
    }
    const isLooking = works.some((work) => work.isLooking);
    if (isLooking) await this.writer.restore();
    // An idle rack writes nothing.
    if (works.every((work) => work.isLooking)) return works.map(() => next);
    if (works.some(({ isReplacing }) => isReplacing)) await this.writer.replace();
    await this.writer.write(works.flatMap(({ texts }) => texts));
    this.setMark();
    this.watchers.tell(this.next);
    return firsts;
  }

  private async trimNow(before: number) {
    const { segments } = this.writer;
    const newest = segments.at(-1);
    if (newest && newest.last >= newest.first && newest.last < before) {
      const isLarge = newest.end >= Math.min(worthReplacing, this.segmentBytes / 2);
      if (isLarge || !this.writer.isWhole) {
        await unlessFull(this.run({ texts: [], bytes: 0, isReplacing: true }));
      }
    }
    const kept = segments.findIndex(
      ({ last }, position) => last >= before || position === segments.length - 1,
    );
    const done = segments.slice(0, Math.max(0, kept));
    // Also without a segment to delete, where the records in front of the oldest one were lost.
    const floor = Math.max(this.writer.floor, segments[kept]?.first ?? 0);
    if (floor > this.writer.floor) this.places.touch();
    this.writer.floor = floor;
    await unlessFull(this.sync());
    for (const segment of done) {
      await rm(segment.path, { force: true }).catch((error) => {
        throw this.unavailable('not trimmed', error);
      });
      if (segments.includes(segment)) segments.splice(segments.indexOf(segment), 1);
    }
    await this.sync();
  }

  private refuseIfClosed(what: string) {
    if (this.closing !== undefined) throw this.unavailable(what, undefined, 'CLOSED');
  }

  private unavailable(what: string, cause?: unknown, code?: string): StorageUnavailable {
    if (cause instanceof StorageUnavailable) return cause;
    return new StorageUnavailable(this.folder, what, cause, code);
  }
}

/** On a full disk, trimming goes on without what it would write. */
async function unlessFull(writing: Promise<unknown>) {
  try {
    await writing;
  } catch (error) {
    const isFull = error instanceof StorageUnavailable && ['ENOSPC', 'EDQUOT'].includes(error.code);
    if (!isFull) throw error;
  }
}
