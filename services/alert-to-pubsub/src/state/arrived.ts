/**
 * Messages that have arrived while earlier ones wait, so that a restart does not send them again. TCP's selective acknowledgements serve
 * the same purpose. A message that arrives just before a crash may be missing: it is sent again.
 */
import { join } from 'node:path';
import { parseJson, pause } from '@skolo/base';
import type { Spool } from '@skolo/base/durable';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { z } from 'zod';

/** The first and last sequence number of each range, by sink. */
const Saved = z.record(z.string(), z.array(z.tuple([z.int(), z.int()])));

const writeEveryMs = 200;

/** Sequence numbers, as ranges in order. */
export class Arrived {
  ranges: [first: number, last: number][] = [];

  has(seq: number): boolean {
    const range = this.ranges[this.firstEndingAt(seq)];
    return range !== undefined && range[0] <= seq;
  }

  add(seq: number): void {
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
  private readonly closing = new AbortController();
  private spool: Pick<Spool, 'sync'> | undefined;
  private written = '{}';
  private isChanged = false;
  private writing: Promise<void> | undefined;

  constructor(stateDir: string) {
    this.path = join(stateDir, 'arrived.json');
  }

  /** @param next the spool assigns numbers from this one on to other messages */
  async open(spool: Pick<Spool, 'sync'>, next: number): Promise<void> {
    this.spool = spool;
    const text = await readFileIfExists(this.path).catch(() => undefined);
    const saved = Saved.safeParse(parseJson(text ?? '')).data ?? {};
    for (const [sink, ranges] of Object.entries(saved)) {
      const arrived = this.of(sink);
      arrived.ranges = ranges;
      arrived.limit(1, next);
    }
    if (text !== undefined) this.written = text;
    // At once: after a crash, the next process would take the old numbers for theirs.
    await this.write();
  }

  of(sink: string): Arrived {
    const arrived = this.sinks.get(sink) ?? new Arrived();
    this.sinks.set(sink, arrived);
    return arrived;
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

  async close(): Promise<void> {
    this.closing.abort();
    await this.writing;
    await this.write();
  }

  private async writeLater(): Promise<void> {
    while (this.isChanged) {
      await pause(writeEveryMs, this.closing.signal).catch(() => undefined);
      this.isChanged = false;
      await this.write();
    }
    this.writing = undefined;
  }

  /** If the disk is full, others report it. */
  private async write(): Promise<void> {
    const saved = [...this.sinks].filter(([, { ranges }]) => ranges.length > 0);
    const text = JSON.stringify(
      Object.fromEntries(saved.map(([name, { ranges }]) => [name, ranges])),
    );
    if (text === this.written) return;
    try {
      // The file lacks what is before the cursors.
      await this.spool?.sync();
      await writeFileAtomic(this.path, text);
      this.written = text;
    } catch {}
  }
}
