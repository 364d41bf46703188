/**
 * Reads the spool for one sink, from its place on, as far ahead as the window allows. What is no message is put in the
 * dead letters and passed over; messages for other sinks are passed over.
 *
 * A lane that is blocked and has its share of the window is left where it is, and the others are read on: `LeftLanes`
 * knows from where such a lane has to be read again once it moves.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type Sink, SpooledMessage } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { backOffMs, type Clock, errorText } from '@skolo/common';
import type { Spool } from '@skolo/durable';
import type { EmitAlertEvent } from '../events.ts';
import { LeftLanes } from './left-lanes.ts';
import type { Pause } from './send.ts';
import type { Waiting, Window } from './window.ts';

export interface ReaderDeps {
  spool: Pick<Spool, 'first' | 'next' | 'read' | 'changed'>;
  sink: Pick<Sink, 'name' | 'orderingKeyOf'>;
  window: Window;
  /** Others get through, and this lane does not. */
  isBlocked(lane: string): boolean;
  deadLetters: { add(letters: DeadLetter[]): Promise<void> };
  clock: Clock;
  emit: EmitAlertEvent;
  pause: Pause;
  /** Messages that were accepted by this process have this sequence number or a later one, and are no older than it. */
  own: { seq: number; since: number };
  onMessage(waiting: Waiting): void;
  /** Passed over, for now and ever. */
  onPassed(): void;
  onUnreadable(): void;
}

/** What is older was written before the wall clock was set: nobody knows when. */
const clockWasSet = Date.parse('2020-01-01T00:00:00Z');
const backOff = { firstMs: 500, maxMs: 30_000 };

export class Reader {
  /** The sequence number that is read next; before it, only what is left of blocked lanes is still to be read. */
  next: number;
  /** Why the spool cannot be read, for people. */
  problem: string | undefined;
  private readonly deps: ReaderDeps;
  private readonly left = new LeftLanes();
  /** When the last message of this process that was read was accepted, in seconds of uptime. */
  private latest: number;
  private failures = 0;
  private wakeUp: (() => void) | undefined;

  constructor(deps: ReaderDeps, from: number) {
    this.deps = deps;
    this.next = from;
    this.latest = deps.own.since;
  }

  /** The first message that has to be read. */
  get lowest(): number {
    return Math.min(this.next, this.left.lowest);
  }

  /** Messages that have to be read. */
  get unread(): number {
    return Math.max(0, this.deps.spool.next - this.next) + this.left.count;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { pause } = this.deps;
    const stop = () => this.roomMade();
    signal.addEventListener('abort', stop);
    while (!signal.aborted) {
      try {
        await this.readLeft(signal);
        await this.readOn(signal);
        this.worked();
        if (!signal.aborted) await this.more(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.failed(error);
        await pause(backOffMs(this.failures, backOff), signal).catch(() => undefined);
      }
    }
    signal.removeEventListener('abort', stop);
  }

  /** The window has room again, or a lane moves. */
  roomMade(): void {
    this.wakeUp?.();
  }

  /** Goes on behind what was dropped. Gives how many messages will not be read. */
  skipTo(seq: number): number {
    const unread = Math.max(0, seq - this.next) + this.left.skipTo(seq, this.next);
    this.next = Math.max(this.next, seq);
    this.roomMade();
    return unread;
  }

  /** Takes back what was read of a lane that is blocked: it is read again once the lane moves. */
  leave({ lane, seq }: Waiting): void {
    this.left.leave(lane, seq);
  }

  private get isLeftDue(): boolean {
    return this.left.lanes.some((lane) => this.isDue(lane));
  }

  private isDue(lane: string): boolean {
    return !this.deps.isBlocked(lane) && this.deps.window.hasShareFor(lane, 0);
  }

  private async readOn(signal: AbortSignal) {
    const { spool, window, isBlocked, onPassed, onMessage } = this.deps;
    // Up to here all is read then, or is not there any more.
    const end = spool.next;
    let expected = this.next;
    for await (const { seq, text } of spool.read(expected)) {
      if (signal.aborted) return;
      const waiting = await this.understand(seq, text, true);
      const mayLeave = ({ lane, bytes }: Waiting) =>
        this.left.has(lane) || (isBlocked(lane) && !window.hasShareFor(lane, bytes));
      const isLeft = waiting !== undefined && (await this.room(waiting, mayLeave, signal));
      if (signal.aborted) return;
      // Much may have been dropped meanwhile.
      if (this.next > expected && seq < this.next) return;
      this.next = seq + 1;
      expected = this.next;
      if (waiting === undefined) onPassed();
      else if (isLeft || this.left.has(waiting.lane)) this.left.leave(waiting.lane, seq);
      else onMessage(waiting);
      if (this.isLeftDue) return;
    }
    if (this.next >= end) return;
    this.next = end;
    onPassed();
    // A spool that says that there is more, and gives nothing, must not stop all else.
    await turn();
  }

  /** The lanes that were left and move again, until each has its share of the window, or all that there is of it. */
  private async readLeft(signal: AbortSignal) {
    const { spool, window, isBlocked, onPassed, onMessage } = this.deps;
    const due = new Map<string, number>();
    for (const lane of this.left.lanes) if (this.isDue(lane)) due.set(lane, this.left.from(lane));
    if (due.size === 0) return;
    const end = this.next;
    /** It is the next one of its lane, unless that was blocked, or dropped, meanwhile. */
    const isNext = (lane: string) => this.left.from(lane) === due.get(lane);
    for await (const { seq, text } of spool.read(Math.min(...due.values()))) {
      if (signal.aborted) return;
      if (seq >= end || due.size === 0) break;
      const waiting = await this.understand(seq, text, false);
      if (waiting === undefined || seq < (due.get(waiting.lane) ?? end)) continue;
      const { lane, bytes } = waiting;
      const mayLeave = () => isBlocked(lane) || !window.hasShareFor(lane, bytes);
      const isLeft = await this.room(waiting, mayLeave, signal);
      if (signal.aborted) return;
      if (isLeft || !isNext(lane)) {
        due.delete(lane);
        continue;
      }
      due.set(lane, this.left.taken(lane, seq));
      onMessage(waiting);
    }
    for (const lane of due.keys()) if (isNext(lane)) this.left.done(lane);
    onPassed();
  }

  /** Until there is more in the spool, or a lane that was left moves. */
  private async more(signal: AbortSignal) {
    if (this.isLeftDue || this.next < this.deps.spool.next) return;
    const over = new AbortController();
    const wake = () => {
      if (signal.aborted || this.isLeftDue) over.abort();
    };
    this.wakeUp = wake;
    try {
      await this.deps.spool.changed(this.next, over.signal);
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      this.wakeUp = undefined;
    }
  }

  /**
   * Undefined: it is nothing for this sink.
   *
   * @param isNew it was not read before
   */
  private async understand(
    seq: number,
    text: string,
    isNew: boolean,
  ): Promise<Waiting | undefined> {
    const { sink, deadLetters, clock, emit, onUnreadable } = this.deps;
    try {
      const message = SpooledMessage.parse(JSON.parse(text));
      if ((message.sink ?? sink.name) !== sink.name) return undefined;
      const since = this.sinceOf(seq, message);
      return { seq, lane: sink.orderingKeyOf(message), message, bytes: text.length, since };
    } catch (error) {
      if (!isNew) return undefined;
      const why = `record ${seq} of the spool is not a message: ${errorText(error)}`;
      const at = new Date(clock.now()).toISOString();
      await deadLetters.add([{ at, from: sink.name, why, found: text }]);
      emit({ type: 'dead-letter', sink: sink.name, why, code: 'NOT_A_MESSAGE' });
      onUnreadable();
      return undefined;
    }
  }

  private sinceOf(seq: number, { at }: SpooledMessage): number {
    const { clock, own } = this.deps;
    const uptime = clock.uptime();
    const accepted = Date.parse(at);
    const since = Math.min(uptime, uptime - (clock.now() - accepted) / 1000);
    if (seq < own.seq) return accepted < clockWasSet ? Math.max(since, own.since) : since;
    // Accepted one after the other, whatever the wall clock says meanwhile.
    this.latest = Math.max(this.latest, since);
    return this.latest;
  }

  /** Waits until it has room in the window, or may be left where it is: true. */
  private async room(
    waiting: Waiting,
    mayLeave: (waiting: Waiting) => boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    while (!signal.aborted) {
      if (mayLeave(waiting)) return true;
      if (this.deps.window.hasRoomFor(waiting.bytes)) return false;
      await new Promise<void>((resolve) => {
        this.wakeUp = resolve;
      });
      this.wakeUp = undefined;
    }
    return false;
  }

  private worked() {
    const { emit, sink } = this.deps;
    this.failures = 0;
    if (this.problem !== undefined) emit({ type: 'spool-readable', sink: sink.name });
    this.problem = undefined;
  }

  private failed(error: unknown) {
    const { emit, sink } = this.deps;
    this.failures += 1;
    this.problem = errorText(error);
    emit({ type: 'spool-unreadable', sink: sink.name, error });
  }
}
