/**
 * Messages that have arrived while earlier ones wait, so that a restart does not send them again, as TCP's selective acknowledgements do;
 * and how often waiting ones may have arrived. A message that arrives just before a crash may be missing: it is sent again. No sink gets a
 * record that became a dead letter when the spool was read.
 */
import { join } from 'node:path';
import { parseJson, pause } from '@skolo/base';
import type { Spool } from '@skolo/base/durable';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { z } from 'zod';

/**
 * The first and last sequence number of each range, by sink, or of `skipped` records; under a sink's name and `doubts`, sequence numbers and
 * counts.
 */
const Saved = z.record(z.string(), z.array(z.tuple([z.int(), z.int()])));

const doubts = ' doubts';
const skipped = ' skipped';
const writeEveryMs = 200;

/** Sequence numbers, as ranges in order. */
export class Arrived {
  ranges: [first: number, last: number][] = [];
  /** How often each waiting message was sent without an answer that says what became of it. */
  doubts = new Map<number, number>();
  /** Writes it to the disk. Never rejects. */
  readonly save: () => Promise<void>;
  private readonly skipped: Arrived | undefined;

  /** @param skipped records that no sink gets */
  constructor(save = async () => {}, skipped?: Arrived) {
    this.save = save;
    this.skipped = skipped;
  }

  has(seq: number): boolean {
    if (this.skipped?.has(seq)) return true;
    const range = this.ranges[this.firstEndingAt(seq)];
    return range !== undefined && range[0] <= seq;
  }

  /** It may have arrived once more. Returns how often. */
  doubt(seq: number): number {
    const times = (this.doubts.get(seq) ?? 0) + 1;
    // A refresh has no position in the spool.
    if (Number.isFinite(seq)) this.doubts.set(seq, times);
    return times;
  }

  add(seq: number): void {
    this.doubts.delete(seq);
    if (this.has(seq)) return;
    const { ranges } = this;
    const at = this.firstEndingAt(seq - 1);
    const [before, after] = [ranges[at], ranges[at + 1]];
    if (before?.[1] === seq - 1) {
      before[1] = seq;
      if (after?.[0] === seq + 1) ranges.splice(at, 2, [before[0], after[1]]);
    } else if (before?.[0] === seq + 1) before[0] = seq;
    else ranges.splice(at, 0, [seq, seq]);
  }

  /** Keeps the numbers from `first` up to, but not including, `end`. */
  limit(first: number, end = Number.POSITIVE_INFINITY): void {
    for (const seq of this.doubts.keys()) if (seq < first || seq >= end) this.doubts.delete(seq);
    this.ranges.splice(0, this.firstEndingAt(first));
    const [lowest] = this.ranges;
    if (lowest !== undefined) lowest[0] = Math.max(lowest[0], first);
    while ((this.ranges.at(-1)?.[0] ?? 0) >= end) this.ranges.pop();
    const highest = this.ranges.at(-1);
    if (highest !== undefined) highest[1] = Math.min(highest[1], end - 1);
  }

  /** The position of the first range that does not end before `seq`. */
  private firstEndingAt(seq: number): number {
    let [low, high] = [0, this.ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ranges[middle]?.[1] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Those of each sink, in a file. */
export class ArrivedFile {
  private readonly path: string;
  private readonly sinks = new Map<string, Arrived>();
  private readonly skipped = new Arrived();
  private readonly closing = new AbortController();
  private spool: Pick<Spool, 'sync'> | undefined;
  private written = '{}';
  private isChanged = false;
  private writing: Promise<void> | undefined;
  /** One write at a time. */
  private saving: Promise<void> = Promise.resolve();

  constructor(stateDir: string) {
    this.path = join(stateDir, 'arrived.json');
  }

  /** @param next the spool assigns numbers from this one on to other messages */
  async open(spool: Pick<Spool, 'sync'>, next: number): Promise<void> {
    this.spool = spool;
    const text = await readFileIfExists(this.path).catch(() => undefined);
    const saved = Saved.safeParse(parseJson(text ?? '')).data ?? {};
    for (const [key, pairs] of Object.entries(saved)) {
      const isDoubts = key.endsWith(doubts);
      const arrived = this.of(isDoubts ? key.slice(0, -doubts.length) : key);
      if (isDoubts) arrived.doubts = new Map(pairs);
      else arrived.ranges = pairs;
      arrived.limit(1, next);
    }
    if (text !== undefined) this.written = text;
    // At once: after a crash, the next process would take the old numbers for theirs.
    await this.save();
  }

  of(sink: string): Arrived {
    if (sink === skipped) return this.skipped;
    const arrived = this.sinks.get(sink) ?? new Arrived(() => this.save(), this.skipped);
    this.sinks.set(sink, arrived);
    return arrived;
  }

  /** No sink gets these records. Fulfilled when that is on the disk, or the disk refuses it. */
  async skip(seqs: readonly number[]): Promise<void> {
    for (const seq of seqs) this.skipped.add(seq);
    await this.save();
  }

  isSkipped(seq: number): boolean {
    return this.skipped.has(seq);
  }

  /** Whether each sink has received this record. @param cursors of the sinks */
  isDelivered(seq: number, cursors: ReadonlyMap<string, number>): boolean {
    if (cursors.size === 0) return false;
    return [...cursors].every(([sink, place]) => seq < place || this.of(sink).has(seq));
  }

  /** Forgets the other sinks. */
  retain(sinks: ReadonlySet<string>): void {
    for (const sink of this.sinks.keys()) if (!sinks.has(sink)) this.sinks.delete(sink);
  }

  /** Writes changes soon. */
  changed(): void {
    this.isChanged = true;
    this.writing ??= this.writeLater();
  }

  /** Writes changes now. Fulfilled when they are on the disk, or the disk refuses them. */
  save(): Promise<void> {
    this.saving = this.saving.then(() => this.write());
    return this.saving;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.writing;
    await this.save();
  }

  private async writeLater(): Promise<void> {
    while (this.isChanged) {
      await pause(writeEveryMs, this.closing.signal).catch(() => undefined);
      this.isChanged = false;
      await this.save();
    }
    this.writing = undefined;
  }

  /** If the disk is full, others report it. */
  private async write(): Promise<void> {
    const all = [...this.sinks, [skipped, this.skipped] as const].flatMap(([name, arrived]) => [
      [name, arrived.ranges] as const,
      [name + doubts, [...arrived.doubts]] as const,
    ]);
    const text = JSON.stringify(Object.fromEntries(all.filter(([, pairs]) => pairs.length > 0)));
    if (text === this.written) return;
    try {
      // The file lacks what is before the cursors.
      await this.spool?.sync();
      await writeFileAtomic(this.path, text);
      this.written = text;
    } catch {}
  }
}
