/**
 * Reads the spool for one sink, as far ahead as its backlog allows. Messages for other sinks are skipped, and so are records that are not
 * messages, which become dead letters.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type Sink, SpooledMessage } from '@skolo/alerts';
import { asError, errorText } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { Spool } from '@skolo/durable';
import type { Backlog, Waiting } from './backlog.ts';
import { isBlocked, type SinkHealth } from './blame.ts';
import type { SetAside } from './set-aside.ts';

interface SpoolReaderDeps {
  spool: Pick<Spool, 'next' | 'read'>;
  sink: Pick<Sink, 'name' | 'orderingKeyOf'>;
  backlog: Backlog;
  health: SinkHealth;
  setAside: SetAside;
  clock: Clock;
}

/** A message that is now in the backlog; one that was skipped; or nothing more can be read until something changes. */
export type Step = Waiting | 'passed' | 'waits';

/** Older messages were written before the wall clock was set: their age is unknown. */
const clockWasSet = Date.parse('2020-01-01T00:00:00Z');

export class SpoolReader {
  private readonly deps: SpoolReaderDeps;
  /** Messages from this one on are accepted by this process, in order. */
  private readonly own: { seq: number; since: number };
  private latest: number;

  constructor(deps: SpoolReaderDeps) {
    const { spool, clock } = deps;
    this.deps = deps;
    this.own = { seq: spool.next, since: clock.uptime() };
    this.latest = this.own.since;
  }

  /**
   * Fills the backlog, step by step. A failure ends it; the next call continues at the same position.
   *
   * @throws StorageUnavailable, FileNotWritten
   */
  async *steps(): AsyncGenerator<Step, void, void> {
    const { backlog, spool } = this.deps;
    for (;;) {
      yield* this.readLeft();
      yield* this.readOn();
      if (this.dueKeys().length === 0 && backlog.next >= spool.next) yield 'waits';
    }
  }

  private async *readOn(): AsyncGenerator<Step, void, void> {
    const { backlog, spool } = this.deps;
    // Everything up to here has been read, or is missing.
    const end = spool.next;
    let expected = backlog.next;
    for await (const { seq, text } of spool.read(expected)) {
      const parsed = this.parse(seq, text);
      if (parsed instanceof Error) await this.reject(seq, text, parsed);
      const waiting = parsed instanceof Error ? undefined : parsed;
      while (waiting && !this.mayLeave(waiting) && !backlog.hasRoomFor(waiting.bytes)) {
        yield 'waits';
      }
      // Much may have been dropped meanwhile.
      if (backlog.next > expected && seq < backlog.next) return;
      backlog.next = seq + 1;
      expected = backlog.next;
      if (waiting === undefined) yield 'passed';
      else if (this.mayLeave(waiting)) {
        backlog.leave(waiting);
        yield 'passed';
      } else {
        backlog.add(waiting);
        yield waiting;
      }
      if (backlog.left.size > 0 && this.dueKeys().length > 0) return;
    }
    if (backlog.next >= end) return;
    backlog.next = end;
    // A spool that announces more but returns nothing must not block everything else.
    await turn();
    yield 'passed';
  }

  /** Messages left in the spool whose keys are unblocked, until each key has used its share of memory. */
  private async *readLeft(): AsyncGenerator<Step, void, void> {
    const { backlog, spool } = this.deps;
    const due = new Map<string, number>();
    for (const key of this.dueKeys()) due.set(key, this.leftFrom(key));
    if (due.size === 0) return;
    const end = backlog.next;
    for await (const { seq, text } of spool.read(Math.min(...due.values()))) {
      if (seq >= end || due.size === 0) break;
      const waiting = this.parse(seq, text);
      if (!waiting || waiting instanceof Error || seq < (due.get(waiting.key) ?? end)) {
        yield 'passed';
        continue;
      }
      const { key, bytes } = waiting;
      while (this.mayStay(key, bytes) && !backlog.hasRoomFor(bytes)) yield 'waits';
      const left = backlog.left.get(key);
      // It was blocked or dropped meanwhile.
      if (left === undefined || left.from !== due.get(key) || !this.mayStay(key, bytes)) {
        due.delete(key);
        continue;
      }
      left.from = seq + 1;
      left.count = Math.max(0, left.count - 1);
      due.set(key, seq + 1);
      backlog.add(waiting);
      yield waiting;
    }
    for (const [key, from] of due) if (this.leftFrom(key) === from) backlog.left.delete(key);
    yield 'passed';
  }

  private leftFrom(key: string): number {
    return this.deps.backlog.left.get(key)?.from ?? Number.POSITIVE_INFINITY;
  }

  /** Keys with messages left in the spool that may be read now. */
  private dueKeys(): string[] {
    return [...this.deps.backlog.left.keys()].filter((key) => this.mayStay(key, 0));
  }

  /** Whether this much more of this key may be in memory. */
  private mayStay(key: string, bytes: number): boolean {
    const { backlog, health } = this.deps;
    return !isBlocked(health, backlog.get(key)) && backlog.hasShareFor(key, bytes);
  }

  /** Whether it may be left in the spool, and read again later. */
  private mayLeave({ key, bytes }: Waiting): boolean {
    const { backlog, health } = this.deps;
    if (backlog.left.has(key)) return true;
    return isBlocked(health, backlog.get(key)) && !backlog.hasShareFor(key, bytes);
  }

  private async reject(seq: number, text: string, error: Error): Promise<void> {
    const why = `spool record ${seq} is not a message: ${errorText(error)}`;
    await this.deps.setAside.add([{ found: text }], { why, code: 'NOT_A_MESSAGE' });
  }

  /** Undefined: it is for another sink. An error: it is not a message. */
  private parse(seq: number, text: string): Waiting | Error | undefined {
    const { sink } = this.deps;
    try {
      const message = SpooledMessage.parse(JSON.parse(text));
      if ((message.sink ?? sink.name) !== sink.name) return undefined;
      const since = this.sinceOf(seq, message);
      return { seq, key: sink.orderingKeyOf(message), message, bytes: text.length, since };
    } catch (error) {
      return asError(error);
    }
  }

  private sinceOf(seq: number, { at }: SpooledMessage): number {
    const { clock } = this.deps;
    const { own } = this;
    const uptime = clock.uptime();
    const accepted = Date.parse(at);
    const since = Math.min(uptime, uptime - (clock.now() - accepted) / 1000);
    if (seq < own.seq) return accepted < clockWasSet ? Math.max(since, own.since) : since;
    // Accepted in order, whatever the wall clock shows meanwhile.
    this.latest = Math.max(this.latest, since);
    return this.latest;
  }
}
