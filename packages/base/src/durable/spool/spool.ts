/**
 * An ordered log with several readers, each with its own position, that survives kill -9 and power cuts.
 *
 * It consists of files of lines, because it is appended and read in order; see `line.ts`.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull, orAborted } from '@skolo/base';
import { toDisk } from '../files/disk.ts';
import { GroupCommit } from '../files/group-commit.ts';
import { makeFolder } from '../files/make-folder.ts';
import { StorageUnavailable } from '../files/storage-errors.ts';
import { Mark, markOf, readMark } from './acknowledged-mark.ts';
import { Cursors } from './cursors.ts';
import { longestText } from './line.ts';
import { lock } from './lock.ts';
import { type DamageListener, readRecords, type SpoolRecord } from './read-records.ts';
import { examine, type Found, type SpoolDamage } from './recovery.ts';
import type { Segment } from './segment.ts';
import { Writer } from './writer.ts';

export interface SpoolOptions {
  /** Size at which the next segment begins; default 16 MiB. */
  segmentBytes?: number;
  /** Milliseconds, of a clock that does not jump. */
  now?: () => number;
}

interface Work {
  texts: readonly string[];
  bytes: number;
  /** Begins a new segment, so that the previous one can be deleted. */
  isReplacing?: boolean;
  /** Checks whether the newest segment still exists. */
  isChecking?: boolean;
}

/** In its own directory. */
function lockOf(folder: string): string {
  return join(folder, 'lock', 'LOCK');
}

/** Size from which a fully read newest segment is replaced. */
const worthReplacing = 1024 * 1024;

export class Spool {
  readonly folder: string;
  /** Damage found at opening, except an incomplete last line. */
  readonly damage: SpoolDamage | undefined;
  /**
   * Bytes of an incomplete last line, as a crash leaves it. It was not acknowledged: it is removed from the segment and saved
   * in a file next to it.
   */
  readonly tornBytes: number;
  /** Whether it was opened with a mark, which copies and new spools do not have. */
  hadMark = false;
  private readonly segmentBytes: number;
  private readonly unlock: () => void;
  private readonly writer: Writer;
  private readonly cursorTable: Cursors;
  private readonly commits: GroupCommit<Work>;
  /** Resolves with the next append, and rejects when the spool is closed. */
  private grown = Promise.withResolvers<void>();
  private readonly mark: Mark;
  private trimming: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;
  private unreadableRecords = 0;

  private constructor(
    folder: string,
    segmentBytes: number,
    found: Found,
    parts: { writer: Writer; cursorTable: Cursors; mark: Mark; unlock: () => void },
  ) {
    this.folder = folder;
    this.segmentBytes = segmentBytes;
    this.damage = found.damage;
    this.tornBytes = found.tornBytes;
    this.writer = parts.writer;
    this.cursorTable = parts.cursorTable;
    this.mark = parts.mark;
    this.unlock = parts.unlock;
    this.commits = new GroupCommit((work) => this.write(work));
  }

  /**
   * Creates a missing folder. Keeps all undamaged records, and describes the rest in `damage`.
   *
   * @throws StorageUnavailable
   */
  static async open(folder: string, options: SpoolOptions = {}): Promise<Spool> {
    const { segmentBytes = 16 * 1024 * 1024, now = () => performance.now() } = options;
    let unlock: (() => void) | undefined;
    try {
      await makeFolder(folder);
      unlock = await lock(lockOf(folder));
      const marked = await readMark(markOf(folder));
      const [first = 1, next = 1] = marked ?? [];
      const found = await examine(folder, next > 1 ? { first, next } : undefined);
      const cursorTable = new Cursors(found.cursors);
      const writer = await Writer.open(folder, { segmentBytes, now }, found, cursorTable);
      const mark = new Mark(markOf(folder));
      const spool = new Spool(folder, segmentBytes, found, { writer, cursorTable, mark, unlock });
      spool.hadMark = marked !== undefined;
      if (writer.isWhole) spool.setMark();
      return spool;
    } catch (error) {
      unlock?.();
      throw new StorageUnavailable(folder, 'not opened', error);
    }
  }

  /** Sequence number of the oldest record; `next` if the spool is empty. */
  get first(): number {
    const oldest = this.writer.segments.find(({ first, last }) => last >= first);
    return oldest?.first ?? this.next;
  }

  /** Sequence number of the next record. It starts at 1 and never decreases. */
  get next(): number {
    return this.writer.next;
  }

  /** How often the newest segment was restored after a deletion. */
  get restored(): number {
    return this.writer.restored;
  }

  /** Size on the disk. */
  get bytes(): number {
    return this.writer.segments.reduce((sum, { end }) => sum + end, 0);
  }

  /** Number of records that became unreadable after the opening. */
  get unreadable(): number {
    return this.unreadableRecords;
  }

  /**
   * Resolves with the sequence number of the first text when all are on the disk. Calls that wait together share one write
   * and one sync, in order.
   *
   * @throws StorageUnavailable Nothing is written. Others that waited may be.
   * @throws TypeError A text has a newline, or is longer than 16 MiB.
   */
  async append(texts: readonly string[]): Promise<number> {
    let sum = 0;
    for (const text of texts) {
      const bytes = Buffer.byteLength(text);
      if (bytes > longestText || text.includes('\n')) {
        throw new TypeError(`a text contains a newline or exceeds ${longestText} bytes`);
      }
      sum += bytes;
    }
    return this.run({ texts, bytes: sum });
  }

  /**
   * Yields records in order, up to the newest one on the disk at that moment.
   *
   * @throws StorageUnavailable
   */
  async *read(from: number): AsyncGenerator<SpoolRecord> {
    for await (const records of this.readMany(from)) yield* records;
  }

  /** Like `read`, with batches of about 256 KiB. */
  async *readMany(from: number): AsyncGenerator<SpoolRecord[]> {
    this.rejectIfClosed('not read');
    const trouble: DamageListener = {
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

  /** Resolves when `spool.next` is greater. Rejects when the signal aborts or the spool is closed. */
  async changed(next: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    while (this.next <= next) {
      this.rejectIfClosed('not read');
      await orAborted(this.grown.promise, signal);
    }
  }

  /** The next sequence number of a reader, or the oldest one if that is trimmed. */
  cursor(name: string): number | undefined {
    const place = this.cursorTable.all.get(name);
    return place === undefined ? undefined : Math.max(place, this.first);
  }

  /** Durable with the next `append`, `sync`, `trim` or `close`. Limited to `next`. */
  setCursor(name: string, seq: number): void {
    this.cursorTable.set(name, Math.min(seq, this.next));
  }

  removeCursor(name: string): void {
    this.cursorTable.remove(name);
  }

  /** Excludes names with a leading dot, which are internal. */
  cursors(): ReadonlyMap<string, number> {
    const { first } = this;
    const others = [...this.cursorTable.all].filter(([name]) => !name.startsWith('.'));
    return new Map(others.map(([name, place]) => [name, Math.max(place, first)]));
  }

  /**
   * Writes changed cursors; with `isProbe` always, to test the disk.
   *
   * @throws StorageUnavailable
   */
  async sync({ isProbe = false } = {}): Promise<void> {
    if (isProbe) this.cursorTable.touch();
    if (this.cursorTable.isChanged) await this.run({ texts: [], bytes: 0 });
  }

  /**
   * Checks whether the newest segment or the directory was deleted, and restores the segment. Reads do that, too, and an
   * append 50 ms after the last check. Older segments are lost then, and readers find them
   * `unreadable`.
   *
   * @returns the number of restores since the opening
   * @throws StorageUnavailable
   */
  async restore(): Promise<number> {
    await this.run({ texts: [], bytes: 0, isChecking: true });
    return this.writer.restored;
  }

  /**
   * Deletes segments with only older records, after writing the cursors. On a full disk it deletes first: a cursor to a
   * deleted record then means the oldest one.
   *
   * @throws StorageUnavailable
   */
  async trim(before: number): Promise<void> {
    const done = this.trimming.then(() => this.trimNow(before));
    this.trimming = done.catch(() => undefined);
    await done;
  }

  /** Finishes pending writes, and writes the cursors if possible: otherwise readers see some records again. */
  close(): Promise<void> {
    this.closing ??= this.closeNow();
    return this.closing;
  }

  private async closeNow() {
    const last = this.sync().catch(() => undefined);
    await this.trimming;
    await last;
    await this.commits.idle();
    // Nobody may be waiting.
    this.grown.promise.catch(() => undefined);
    this.grown.reject(this.unavailable('not read', undefined, 'CLOSED'));
    await this.writer.close();
    await this.mark.close();
    this.unlock();
  }

  private async run(work: Work): Promise<number> {
    this.rejectIfClosed('not written');
    try {
      return (await this.commits.run(work)) ?? this.next;
    } catch (error) {
      throw this.unavailable('not written', error);
    }
  }

  /** Whether a deleted segment was restored. */
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
      return await toDisk(() => this.writeAll(works));
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
    const isChecking = works.some((work) => work.isChecking);
    if (isChecking) await this.writer.restore();
    // An idle rack must not write anything.
    if (works.every((work) => work.isChecking)) return works.map(() => next);
    if (works.some(({ isReplacing }) => isReplacing)) await this.writer.replace();
    await this.writer.write(works.flatMap(({ texts }) => texts));
    this.setMark();
    this.grown.resolve();
    this.grown = Promise.withResolvers();
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
    // Even without a segment to delete, if older records were lost.
    const floor = Math.max(this.writer.floor, segments[kept]?.first ?? 0);
    if (floor > this.writer.floor) this.cursorTable.touch();
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

  private rejectIfClosed(what: string) {
    if (this.closing !== undefined) throw this.unavailable(what, undefined, 'CLOSED');
  }

  private unavailable(what: string, cause?: unknown, code?: string): StorageUnavailable {
    if (cause instanceof StorageUnavailable) return cause;
    return new StorageUnavailable(this.folder, what, cause, code);
  }
}

/** Ignores a full disk, so that trimming continues. */
async function unlessFull(writing: Promise<unknown>) {
  try {
    await writing;
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
