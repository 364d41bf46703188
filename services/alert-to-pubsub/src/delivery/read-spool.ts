/**
 * Reads the spool for one sink, as far ahead as its backlog allows. Messages for other sinks are passed over, and so are
 * records that are not messages, which become dead letters.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type Sink, SpooledMessage } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { Spool } from '@skolo/durable';
import type { EmitAlertEvent } from '../events.ts';
import type { Backlog, Waiting } from './backlog.ts';

interface ReadSpoolDeps {
  spool: Pick<Spool, 'next' | 'read' | 'changed'>;
  sink: Pick<Sink, 'name' | 'orderingKeyOf'>;
  backlog: Backlog;
  deadLetters: { add(letters: DeadLetter[]): Promise<void> };
  clock: Clock;
  emit: EmitAlertEvent;
  /** Whether other keys get through and this one does not. */
  isBlocked(key: string): boolean;
  /** Undefined: a record was passed over. */
  onRead(waiting: Waiting | undefined): void;
  onDeadLetter(): void;
  /** Waits before another attempt. */
  backOff(failures: number): Promise<void>;
}

/** What is older was written before the wall clock was set: its age is unknown. */
const clockWasSet = Date.parse('2020-01-01T00:00:00Z');

/** Ends when it is aborted. Never rejects. */
export async function readSpool(deps: ReadSpoolDeps, signal: AbortSignal): Promise<void> {
  const { spool, sink, backlog, clock, emit, isBlocked, onRead } = deps;
  /** Messages from this one on are accepted by this process, one after the other. */
  const own = { seq: spool.next, since: clock.uptime() };
  let latest = own.since;
  let failures = 0;
  signal.addEventListener('abort', () => backlog.wake());
  while (!signal.aborted) {
    try {
      await readLeft();
      await readOn();
      if (failures > 0) emit({ type: 'spool-readable', sink: sink.name });
      backlog.problem = undefined;
      failures = 0;
      if (!signal.aborted) await untilMore();
    } catch (error) {
      if (signal.aborted) break;
      failures += 1;
      backlog.problem = errorText(error);
      emit({ type: 'spool-unreadable', sink: sink.name, error });
      await deps.backOff(failures);
    }
  }

  async function readOn(): Promise<void> {
    // Up to here all is read then, or is missing.
    const end = spool.next;
    let expected = backlog.next;
    for await (const { seq, text } of spool.read(expected)) {
      if (signal.aborted) return;
      const waiting = await parse(seq, text, true);
      const mayLeave = ({ key, bytes }: Waiting) =>
        backlog.left.has(key) || (isBlocked(key) && !backlog.hasShareFor(key, bytes));
      const isLeft = waiting !== undefined && (await untilRoom(waiting, mayLeave));
      if (signal.aborted) return;
      // Much may have been dropped meanwhile.
      if (backlog.next > expected && seq < backlog.next) return;
      backlog.next = seq + 1;
      expected = backlog.next;
      if (waiting === undefined) onRead(undefined);
      else if (isLeft || backlog.left.has(waiting.key)) backlog.leave(waiting);
      else onRead(waiting);
      if (dueKeys().length > 0) return;
    }
    if (backlog.next >= end) return;
    backlog.next = end;
    onRead(undefined);
    // A spool that promises more and has nothing must not stop everything else.
    await turn();
  }

  /** What was left of keys that move again, until each has its share of memory. */
  async function readLeft(): Promise<void> {
    const due = new Map<string, number>();
    for (const key of dueKeys()) due.set(key, leftFrom(key));
    if (due.size === 0) return;
    const end = backlog.next;
    /** Whether it is the next one of its key, which was neither blocked nor dropped meanwhile. */
    const isNext = (key: string) => leftFrom(key) === due.get(key);
    for await (const { seq, text } of spool.read(Math.min(...due.values()))) {
      if (signal.aborted) return;
      if (seq >= end || due.size === 0) break;
      const waiting = await parse(seq, text, false);
      if (waiting === undefined || seq < (due.get(waiting.key) ?? end)) continue;
      const { key, bytes } = waiting;
      const mayLeave = () => isBlocked(key) || !backlog.hasShareFor(key, bytes);
      const isLeft = await untilRoom(waiting, mayLeave);
      if (signal.aborted) return;
      const left = backlog.left.get(key);
      if (isLeft || left === undefined || !isNext(key)) {
        due.delete(key);
        continue;
      }
      left.from = seq + 1;
      left.count = Math.max(0, left.count - 1);
      due.set(key, seq + 1);
      onRead(waiting);
    }
    for (const key of due.keys()) if (isNext(key)) backlog.left.delete(key);
    onRead(undefined);
  }

  function leftFrom(key: string): number {
    return backlog.left.get(key)?.from ?? Number.POSITIVE_INFINITY;
  }

  /** Keys of which messages were left, and may be read now. */
  function dueKeys(): string[] {
    return [...backlog.left.keys()].filter((key) => !isBlocked(key) && backlog.hasShareFor(key, 0));
  }

  /** Until there is more in the spool, or a key of which messages were left moves. */
  async function untilMore(): Promise<void> {
    if (dueKeys().length > 0 || backlog.next < spool.next) return;
    const over = new AbortController();
    backlog.wake = () => {
      if (signal.aborted || dueKeys().length > 0) over.abort();
    };
    try {
      await spool.changed(backlog.next, over.signal);
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      backlog.wake = () => undefined;
    }
  }

  /** Until there is room for it. True: it may be left in the spool instead. */
  async function untilRoom(waiting: Waiting, mayLeave: (waiting: Waiting) => boolean) {
    while (!signal.aborted) {
      if (mayLeave(waiting)) return true;
      if (backlog.hasRoomFor(waiting.bytes)) return false;
      await new Promise<void>((resolve) => {
        backlog.wake = resolve;
      });
      backlog.wake = () => undefined;
    }
    return false;
  }

  /**
   * Undefined: it is not a message for this sink.
   *
   * @param isNew it was not read before
   */
  async function parse(seq: number, text: string, isNew: boolean): Promise<Waiting | undefined> {
    try {
      const message = SpooledMessage.parse(JSON.parse(text));
      if ((message.sink ?? sink.name) !== sink.name) return undefined;
      const since = sinceOf(seq, message);
      return { seq, key: sink.orderingKeyOf(message), message, bytes: text.length, since };
    } catch (error) {
      if (!isNew) return undefined;
      const why = `record ${seq} of the spool is not a message: ${errorText(error)}`;
      const at = new Date(clock.now()).toISOString();
      await deps.deadLetters.add([{ at, from: sink.name, why, found: text }]);
      emit({ type: 'dead-letter', sink: sink.name, why, code: 'NOT_A_MESSAGE' });
      deps.onDeadLetter();
      return undefined;
    }
  }

  function sinceOf(seq: number, { at }: SpooledMessage): number {
    const uptime = clock.uptime();
    const accepted = Date.parse(at);
    const since = Math.min(uptime, uptime - (clock.now() - accepted) / 1000);
    if (seq < own.seq) return accepted < clockWasSet ? Math.max(since, own.since) : since;
    // Accepted one after the other, whatever the wall clock shows meanwhile.
    latest = Math.max(latest, since);
    return latest;
  }
}
