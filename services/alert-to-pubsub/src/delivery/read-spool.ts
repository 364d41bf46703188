/**
 * Reads the spool for one sink: once to its end, and again what its backlog had no space for. Messages for other sinks are skipped, and so
 * are records that are not messages, which become dead letters.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { type Sink, SpooledMessage } from '@skolo/alerts';
import { asError, errorText, measureJson } from '@skolo/base';
import type { Spool } from '@skolo/base/durable';
import type { Clock } from '@skolo/common';
import { mostAlertMemory } from '../receive/alert.ts';
import type { Arrived } from '../state/arrived.ts';
import { fit } from '../state/shorten.ts';
import type { Backlog } from './backlog.ts';
import { isUrgent, urgent, type Waiting } from './queue.ts';
import type { SetAside } from './set-aside.ts';

interface SpoolReaderDeps {
  spool: Pick<Spool, 'next' | 'read'>;
  sink: Pick<Sink, 'name' | 'groupOf'>;
  backlog: Backlog;
  /** These are skipped. */
  arrived: Pick<Arrived, 'has'>;
  setAside: SetAside;
  clock: Clock;
}

/** A message that is now in the backlog; one that was skipped; or nothing more can be read until something changes. */
export type Step = Waiting | 'passed' | 'waits';

/** The number of records before and after a message that are read with it, because the disk is read in blocks of some hundred anyway. */
const near = 100;
/** Longer ones, in characters, are parsed only when they are next: most do not fit yet. */
const mostNear = 64 * 1024;
/** Older messages were written before the wall clock was set: their age is unknown. */
const clockWasSet = Date.parse('2020-01-01T00:00:00Z');

export class SpoolReader {
  private readonly deps: SpoolReaderDeps;
  /** Messages from this one on are accepted by this process, in order. */
  private readonly own: { seq: number; since: number };
  private latest: number;
  /** What `lookAhead` has found, and `readOn` has not reached. */
  private readonly early = new Set<number>();

  constructor(deps: SpoolReaderDeps) {
    const { spool, clock } = deps;
    this.deps = deps;
    this.own = { seq: spool.next, since: clock.uptime() };
    this.latest = this.own.since;
  }

  /**
   * Reads on to the end, step by step. A failure ends it; the next call continues at the same position.
   *
   * @throws StorageUnavailable, FileNotWritten
   */
  async *steps(): AsyncGenerator<Step, void, void> {
    const { backlog, spool } = this.deps;
    const ahead = this.lookAhead();
    for (;;) {
      yield* this.readOn(ahead);
      if (backlog.next >= spool.next) yield 'waits';
    }
  }

  /**
   * Reads what the backlog needs next, and what is near it.
   *
   * @throws StorageUnavailable
   */
  async load(): Promise<void> {
    const { backlog, spool } = this.deps;
    // Those near another one are not wanted any more.
    for (const queue of backlog.wanted) {
      const [wanted = 0] = queue.left.seqs;
      for await (const { seq, text } of spool.read(Math.max(1, wanted - near))) {
        if (backlog.isFull) break;
        if (seq !== wanted && text.length > mostNear) continue;
        const waiting = this.parse(seq, text);
        if (waiting && !(waiting instanceof Error)) backlog.load(waiting);
        if (seq >= wanted + near) break;
      }
      if (backlog.isFull) backlog.letWait(queue);
      else backlog.lose(queue, wanted);
    }
  }

  private async *readOn(ahead: AsyncIterator<Step, Step>): AsyncGenerator<Step, void, void> {
    const { backlog, spool, sink } = this.deps;
    // Everything up to here has been read, or is missing.
    const end = spool.next;
    for await (const { seq, text } of spool.read(backlog.next)) {
      const waiting = this.parse(seq, text);
      if (waiting instanceof Error) await this.reject(seq, text, waiting);
      else if (waiting && sink.groupOf === undefined) {
        while (!backlog.hasRoomFor(waiting.bytes)) yield (await ahead.next()).value;
      }
      // Much may have been dropped meanwhile.
      if (seq < backlog.next) return;
      backlog.next = seq + 1;
      if (!waiting || waiting instanceof Error || this.early.delete(seq)) yield 'passed';
      else {
        backlog.add(waiting);
        yield waiting;
      }
    }
    if (backlog.next >= end) return;
    backlog.next = end;
    // A spool that announces more but returns nothing must not block everything else.
    await turn();
    yield 'passed';
  }

  /** While there is no room, finds the alerts that do not wait behind others. */
  private async *lookAhead(): AsyncGenerator<Step, never, void> {
    const { backlog, spool } = this.deps;
    for (let next = 0; ; ) {
      for await (const { seq, text } of spool.read(Math.max(next, backlog.next + 1))) {
        next = seq + 1;
        const isNew = text.includes(urgent) && !this.early.has(seq);
        const waiting = isNew ? this.parse(seq, text) : undefined;
        if (waiting && !(waiting instanceof Error) && isUrgent(waiting.message)) {
          this.early.add(seq);
          backlog.add(waiting);
        }
        yield 'passed';
      }
      yield 'waits';
    }
  }

  private async reject(seq: number, text: string, error: Error): Promise<void> {
    const why = `spool record ${seq} is not a message: ${errorText(error)}`;
    await this.deps.setAside.add([{ found: text }], { why, code: 'NOT_A_MESSAGE' });
  }

  /** Undefined: it has arrived, or is for another sink. An error: it is not a message. */
  private parse(seq: number, text: string): Waiting | Error | undefined {
    const { sink, arrived } = this.deps;
    if (arrived.has(seq)) return undefined;
    try {
      const message = SpooledMessage.parse(JSON.parse(text));
      if ((message.sink ?? sink.name) !== sink.name) return undefined;
      let bytes = measureJson(Buffer.from(text)).value;
      // Of an earlier version.
      if (bytes > mostAlertMemory && message.kind !== 'notice' && fit(message))
        bytes = measureJson(Buffer.from(JSON.stringify(message))).value;
      return { seq, message, bytes, since: this.sinceOf(seq, message) };
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
