/**
 * An ordered log with several readers, each with its own place, that survives kill -9 and power cuts: what was accepted
 * and is owed to somebody.
 *
 * Files of lines, since it is all appended and all read in order; `line.ts` says what a line is. LevelDB was measured
 * for it: a quarter of the records a second, and 220 MB resident when it is read.
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../system-error.ts';
import { encodeNote, encodeRecord, isSequence, longestText, textOf } from './line.ts';
import { readLines } from './lines.ts';
import { lock } from './lock.ts';
import { examine, type Found, type SpoolDamage } from './opening.ts';
import { type Chunk, chunksOf, mark, offsetOf, type Segment, segmentPath } from './segment.ts';
import { Tail } from './tail.ts';
import { SpoolUnavailable } from './unavailable.ts';

export interface SpoolRecord {
  seq: number;
  text: string;
}

export interface SpoolOptions {
  /** How large a segment becomes before the next one begins; default 16 MiB. */
  segmentBytes?: number;
}

interface Waiting {
  texts: readonly string[];
  bytes: number;
  resolve(seq: number): void;
  reject(error: unknown): void;
}

interface Watcher {
  next: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** How much is written and synced at once. */
const mostAtOnce = 4 * 1024 * 1024;
/** A newest segment of which all is done is replaced from this size on. */
const worthReplacing = 1024 * 1024;

export class Spool {
  readonly folder: string;
  /** What was not whole when it was opened, but for a last line that was not written to its end. */
  readonly damage: SpoolDamage | undefined;
  /** What was cut off a last line that was not written to its end: a crash leaves that, it was not acknowledged. */
  readonly tornBytes: number;
  private readonly segmentBytes: number;
  private readonly unlock: () => Promise<void>;
  private readonly segments: Segment[];
  private readonly places: Map<string, number>;
  private readonly watchers = new Set<Watcher>();
  private tail: Tail | undefined;
  private number: number;
  private floor: number;
  private nextSeq: number;
  private changes = 0;
  private durableChanges = 0;
  private isReplacing = false;
  private waiting: Waiting[] = [];
  private draining: Promise<void> | undefined;
  private trimming: Promise<void> = Promise.resolve();
  private unreadablePlaces = 0;
  private isClosed = false;

  private constructor(
    folder: string,
    { segmentBytes = 16 * 1024 * 1024 }: SpoolOptions,
    unlock: () => Promise<void>,
    found: Found,
    tail: Tail | undefined,
  ) {
    this.folder = folder;
    this.segmentBytes = segmentBytes;
    this.unlock = unlock;
    this.damage = found.damage;
    this.tornBytes = found.tornBytes;
    this.segments = found.segments;
    this.places = found.cursors;
    this.number = found.number;
    this.floor = found.floor;
    this.nextSeq = found.next;
    this.tail = tail;
  }

  /**
   * Creates the folder where there is none. Whatever is damaged, what is whole is there, and `damage` says what is not.
   *
   * @throws SpoolUnavailable
   */
  static async open(folder: string, options: SpoolOptions = {}): Promise<Spool> {
    let unlock: (() => Promise<void>) | undefined;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      unlock = await lock(join(folder, 'lock'));
      const found = await examine(folder);
      const newest = found.segments.at(-1);
      const tail = newest && found.canContinue ? await Tail.of(newest) : undefined;
      return new Spool(folder, options, unlock, found, tail);
    } catch (error) {
      await unlock?.();
      throw new SpoolUnavailable(folder, 'not opened', error);
    }
  }

  /** Sequence number of the oldest record; `next` where there is none. */
  get first(): number {
    return this.segments.find(({ first, last }) => last >= first)?.first ?? this.nextSeq;
  }

  /** Sequence number of the next record. It begins with 1 and never goes back. */
  get next(): number {
    return this.nextSeq;
  }

  /** What it takes of the disk. */
  get bytes(): number {
    return this.segments.reduce((sum, { end }) => sum + end, 0);
  }

  /** Places that became unreadable after it was opened, and that a reader met. */
  get unreadable(): number {
    return this.unreadablePlaces;
  }

  /**
   * Fulfilled with the first text's sequence number once all are on the disk. Those that wait together share one write
   * and one sync, and keep their order.
   *
   * @throws SpoolUnavailable Nothing of it is there. Others that waited may be written.
   * @throws TypeError A text has a newline, or is longer than 16 MiB.
   */
  async append(texts: readonly string[]): Promise<number> {
    let bytes = 0;
    for (const text of texts) {
      if (text.includes('\n')) throw new TypeError('a text for the spool may not have a newline');
      bytes += Buffer.byteLength(text);
      if (Buffer.byteLength(text) > longestText)
        throw new TypeError(`a text for the spool may have ${longestText} bytes at most`);
    }
    return this.enqueue(texts, bytes);
  }

  /**
   * Records from there on, in order, to the newest one that is on the disk when the reader gets there.
   *
   * @throws SpoolUnavailable
   */
  async *read(from: number): AsyncGenerator<SpoolRecord> {
    for await (const records of this.readMany(from)) yield* records;
  }

  /** As `read`, by some hundred records at a time. */
  async *readMany(from: number): AsyncGenerator<SpoolRecord[]> {
    let wanted = from;
    for (;;) {
      const segment = this.segments.find(({ last }) => last >= wanted);
      if (!segment) return;
      const begin = offsetOf(segment, wanted);
      let place = begin;
      for await (const chunk of this.chunks(segment, begin)) {
        const records = this.recordsOf(segment, chunk, wanted);
        place = chunk.offset + chunk.bytes.length;
        wanted = (records.at(-1)?.seq ?? wanted - 1) + 1;
        if (records.length > 0) yield records;
      }
      if (place < segment.end) {
        // More has been appended meanwhile – or the file has lost its end.
        if (place > begin) continue;
        this.addUnreadable(segment, place);
      }
      wanted = Math.max(wanted, segment.last + 1);
    }
  }

  /** Fulfilled when `spool.next` is greater than that. Rejected when the signal aborts, or the spool is closed. */
  async changed(next: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.nextSeq > next) return;
    if (this.isClosed) throw this.closed('not read');
    const { promise, resolve, reject } = withResolvers();
    const watcher: Watcher = { next, resolve, reject };
    const abort = () => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.watchers.add(watcher);
    try {
      await promise;
    } finally {
      this.watchers.delete(watcher);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** The sequence number that this reader wants next. */
  cursor(name: string): number | undefined {
    const place = this.places.get(name);
    return place === undefined ? undefined : this.clamp(place);
  }

  /** Durable with the next append, `sync`, `trim` or `close`. */
  setCursor(name: string, seq: number): void {
    if (!isSequence(seq)) throw new TypeError(`${seq} is no sequence number`);
    if (this.places.get(name) === seq) return;
    this.places.set(name, seq);
    this.changes += 1;
  }

  removeCursor(name: string): void {
    if (this.places.delete(name)) this.changes += 1;
  }

  cursors(): ReadonlyMap<string, number> {
    return new Map([...this.places].map(([name, place]) => [name, this.clamp(place)]));
  }

  /**
   * Writes the cursors, where they have changed.
   *
   * @throws SpoolUnavailable
   */
  async sync(): Promise<void> {
    if (this.changes > this.durableChanges) await this.enqueue([], 0);
  }

  /**
   * Deletes segments of which every record is before that; first the cursors are written, so that none points to what is
   * gone.
   *
   * @throws SpoolUnavailable
   */
  async trim(before: number): Promise<void> {
    const done = this.trimming.then(() => this.trimNow(before));
    this.trimming = done.catch(() => undefined);
    await done;
  }

  /** Finishes what waits. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    await this.trimming;
    // Cursors that are lost cost some repetition, no more.
    const last = this.sync().catch(() => undefined);
    this.isClosed = true;
    await last;
    await this.draining;
    for (const watcher of this.watchers) watcher.reject(this.closed('not read'));
    await this.tail?.close().catch(() => undefined);
    await this.unlock();
  }

  private enqueue(texts: readonly string[], bytes: number): Promise<number> {
    if (this.isClosed) return Promise.reject(this.closed('not written'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ texts, bytes, resolve, reject });
      this.draining ??= this.drain();
    });
  }

  private async drain() {
    // What is asked for in one go shares the first sync, too.
    await undefined;
    while (this.waiting.length > 0) await this.commit(this.takeGroup());
    this.draining = undefined;
  }

  private takeGroup(): Waiting[] {
    let bytes = 0;
    const rest = this.waiting.findIndex((one, position) => {
      bytes += one.bytes;
      return position > 0 && bytes > mostAtOnce;
    });
    return this.waiting.splice(0, rest < 0 ? this.waiting.length : rest);
  }

  private async commit(group: Waiting[]) {
    try {
      await this.write(group);
    } catch (error) {
      if (group.length === 1)
        group[0]?.reject(new SpoolUnavailable(this.folder, 'not written', error));
      // What is small may have room where what it shared a write with had none.
      else for (const one of group) await this.commit([one]);
    }
  }

  private async write(group: Waiting[]) {
    const from = this.nextSeq;
    let seq = from;
    const lines: string[] = [];
    for (const { texts } of group) {
      for (const text of texts) lines.push(encodeRecord(seq++, text));
    }
    const changes = this.changes;
    if (lines.length > 0 || changes > this.durableChanges || this.isReplacing) {
      await this.writeLines(lines, seq, changes > this.durableChanges);
      this.durableChanges = changes;
    }
    this.nextSeq = seq;
    let first = from;
    for (const { texts, resolve } of group) {
      resolve(first);
      first += texts.length;
    }
    for (const watcher of this.watchers) if (seq > watcher.next) watcher.resolve();
  }

  private async writeLines(lines: string[], next: number, hasNote: boolean) {
    const { tail } = this;
    const note = hasNote || !tail ? this.note(tail?.segment.number ?? 0) : '';
    const bytes = Buffer.from(note + lines.join(''));
    if (!tail || tail.isSpent || this.isReplacing || this.isFull(tail.segment, bytes.length)) {
      await this.beginSegment(lines, next);
      return;
    }
    const { segment } = tail;
    const offset = segment.end;
    await tail.append(bytes);
    if (lines.length === 0) return;
    if (segment.last < segment.first) segment.first = this.nextSeq;
    mark(segment.marks, this.nextSeq, offset);
    segment.last = next - 1;
  }

  private isFull({ end }: Segment, more: number) {
    return end > 0 && end + more > this.segmentBytes;
  }

  private async beginSegment(lines: string[], next: number) {
    const number = this.number + 1;
    const bytes = Buffer.from(this.note(number) + lines.join(''));
    const tail = await this.createSegment(number, bytes);
    this.number = number;
    tail.segment.last = next - 1;
    if (lines.length > 0) mark(tail.segment.marks, this.nextSeq, 0);
    await this.tail?.close().catch(() => undefined);
    this.tail = tail;
    this.isReplacing = false;
    this.segments.push(tail.segment);
  }

  private async createSegment(number: number, bytes: Buffer): Promise<Tail> {
    const first = this.nextSeq;
    for (let attempt = 0; ; attempt += 1) {
      const segment: Segment = {
        path: segmentPath(this.folder, first, attempt),
        number,
        first,
        last: first - 1,
        limit: Number.POSITIVE_INFINITY,
        end: 0,
        marks: [],
        damaged: new Set(),
      };
      try {
        return await Tail.begin(segment, bytes);
      } catch (error) {
        if (systemCode(error) !== 'EEXIST' || attempt > 99) throw error;
      }
    }
  }

  private note(segment: number): string {
    const cursors = Object.fromEntries(this.places);
    return encodeNote({ segment, first: this.floor, next: this.nextSeq, cursors });
  }

  private async *chunks(segment: Segment, from: number): AsyncGenerator<Chunk> {
    try {
      const handle = await open(segment.path, 'r');
      try {
        yield* chunksOf(handle, from, () => segment.end);
      } finally {
        await handle.close();
      }
    } catch (error) {
      // Trimmed, or lost, while the reader was elsewhere.
      if (systemCode(error) !== 'ENOENT') {
        throw new SpoolUnavailable(this.folder, 'not read', error);
      }
    }
  }

  private recordsOf(segment: Segment, { bytes, offset }: Chunk, from: number): SpoolRecord[] {
    const records: SpoolRecord[] = [];
    let wanted = from;
    readLines(bytes, offset, {
      record(seq, line, start, end) {
        if (seq < wanted || seq >= segment.limit) return;
        wanted = seq + 1;
        records.push({ seq, text: textOf(line, start, end, seq) });
      },
      damaged: (_bytes, _start, _end, place) => this.addUnreadable(segment, place),
    });
    return records;
  }

  private addUnreadable(segment: Segment, place: number) {
    if (segment.damaged.has(place)) return;
    segment.damaged.add(place);
    this.unreadablePlaces += 1;
  }

  private async trimNow(before: number) {
    const newest = this.segments.at(-1);
    const isDone = newest && newest.last >= newest.first && newest.last < before;
    if (isDone && newest.end >= Math.min(worthReplacing, this.segmentBytes)) {
      this.isReplacing = true;
      await this.enqueue([], 0);
    }
    const kept = this.segments.findIndex(
      ({ last }, position) => last >= before || position === this.segments.length - 1,
    );
    if (kept > 0) {
      this.floor = this.segments[kept]?.first ?? this.floor;
      this.changes += 1;
    }
    await this.sync();
    for (const { path } of this.segments.splice(0, Math.max(0, kept)))
      await rm(path, { force: true });
  }

  private clamp(place: number): number {
    return Math.min(Math.max(place, this.first), this.nextSeq);
  }

  private closed(what: string) {
    return new SpoolUnavailable(this.folder, what, undefined, 'CLOSED');
  }
}

function withResolvers() {
  let resolve = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
