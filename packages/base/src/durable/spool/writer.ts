/** Appends to the newest segment, and begins the next one when it is full or damaged. */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '@skolo/base';
import { syncFolder } from '../files/atomic-file.ts';
import { makeFolder } from '../files/make-folder.ts';
import type { Cursors } from './cursors.ts';
import { encodeLines, noteBody } from './line.ts';
import type { Found } from './recovery.ts';
import { indexAppended, newSegment, type Segment, segmentPath } from './segment.ts';
import { Tail } from './tail.ts';

interface WriterOptions {
  /** Size at which the next segment begins. */
  segmentBytes: number;
  /** Milliseconds, of a clock that does not jump. */
  now: () => number;
}

export class Writer {
  /** Oldest first. */
  readonly segments: Segment[];
  /** Sequence number of the next record. */
  next: number;
  /** Sequence number of the oldest record that is not trimmed. */
  floor: number;
  private readonly folder: string;
  private readonly options: WriterOptions;
  private readonly cursors: Cursors;
  /** How often the newest segment was restored after a deletion. */
  restored = 0;
  private number: number;
  private tail: Tail | undefined;

  private constructor(folder: string, options: WriterOptions, found: Found, cursors: Cursors) {
    this.folder = folder;
    this.options = options;
    this.segments = found.segments;
    this.next = found.next;
    this.floor = found.floor;
    this.number = found.number;
    this.cursors = cursors;
  }

  static async open(
    folder: string,
    options: WriterOptions,
    found: Found,
    cursors: Cursors,
  ): Promise<Writer> {
    const writer = new Writer(folder, options, found, cursors);
    const newest = found.segments.at(-1);
    if (newest && found.canContinue) writer.tail = await Tail.continue(newest, options.now);
    return writer;
  }

  /** The newest segment is undamaged and can be continued. */
  get isWhole(): boolean {
    return this.tail !== undefined && !this.tail.isSpent;
  }

  /**
   * Writes records, from the sequence number `next`, and changed cursors.
   *
   * @throws Error From the system: nothing is written.
   */
  async write(texts: readonly string[]): Promise<void> {
    const written = this.cursors.writing();
    if (texts.length > 0 || this.cursors.isChanged) {
      if (!(await this.append(texts))) await this.startSegment(texts);
    }
    written();
    this.next += texts.length;
  }

  /** Begins a new segment, so that the previous one can be deleted. */
  async replace(): Promise<void> {
    const written = this.cursors.writing();
    await this.startSegment([]);
    written();
  }

  /**
   * Restores the newest segment and the directory after a deletion.
   *
   * @throws Error From the system.
   */
  async restore(): Promise<void> {
    const { tail, folder } = this;
    if (tail === undefined || (await tail.isThere())) return;
    await makeFolder(folder);
    await syncFolder(dirname(folder));
    await tail.restore();
    this.restored += 1;
  }

  async close(): Promise<void> {
    await this.tail?.close().catch(() => undefined);
  }

  private async append(texts: readonly string[]): Promise<boolean> {
    const { tail } = this;
    if (!tail || tail.isSpent) return false;
    const { segment } = tail;
    const note = this.cursors.isChanged ? [this.note(segment.number ?? this.number)] : [];
    const bytes = this.encode(note, texts);
    if (segment.end + bytes.length > this.options.segmentBytes) return false;
    const offset = segment.end;
    let isThere: boolean;
    try {
      isThere = await tail.append(bytes);
    } catch (error) {
      // A later segment with the same sequence number voids bytes that could not be removed.
      if (!tail.isClean) await this.startSegment([]).catch(() => undefined);
      throw error;
    }
    if (!isThere) {
      await this.restore();
      return this.append(texts);
    }
    this.added(segment, texts.length, offset);
    return true;
  }

  private async startSegment(texts: readonly string[]) {
    await this.restore();
    await makeFolder(this.folder);
    const number = this.number + 1;
    const tail = await this.create(number, this.encode([this.note(number)], texts));
    await this.close();
    this.tail = tail;
    this.number = number;
    this.segments.push(tail.segment);
    this.added(tail.segment, texts.length, 0);
    await this.dropEmpty();
  }

  private added(segment: Segment, count: number, offset: number) {
    if (count === 0) return;
    if (segment.last < segment.first) segment.first = this.next;
    segment.last = this.next + count - 1;
    indexAppended(segment, this.next, offset);
  }

  private async create(number: number, bytes: Buffer): Promise<Tail> {
    for (let attempt = 0; ; attempt += 1) {
      const segment = newSegment(segmentPath(this.folder, this.next, attempt), number, this.next);
      try {
        return await Tail.create(segment, bytes, this.options.now);
      } catch (error) {
        if (errorCode(error) !== 'EEXIST' || attempt > 99) throw error;
      }
    }
  }

  /** Deletes segments without records, except the newest one, which has their notes. */
  private async dropEmpty() {
    for (const segment of this.segments.slice(0, -1)) {
      if (segment.last >= segment.first) continue;
      this.segments.splice(this.segments.indexOf(segment), 1);
      // Best effort: it has no records.
      await rm(segment.path, { force: true }).catch(() => undefined);
    }
  }

  private encode(notes: string[], texts: readonly string[]): Buffer {
    return encodeLines(notes, this.next, texts);
  }

  private note(segment: number): string {
    const cursors = Object.fromEntries(this.cursors.all);
    return noteBody({ segment, first: this.floor, next: this.next, cursors });
  }
}
