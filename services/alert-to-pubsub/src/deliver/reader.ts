/**
 * Reads the spool for one sink, from its place on, as far ahead as the window allows. What is no message is put in the
 * dead letters and passed over; notices for other sinks are passed over.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type Sink, SpooledMessage } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { backOffMs, type Clock, errorText, type Logger } from '@skolo/common';
import type { Spool } from '@skolo/durable';
import type { Waiting, Window } from './window.ts';
import type { Pause } from './within.ts';

export interface ReaderDeps {
  spool: Pick<Spool, 'first' | 'next' | 'read' | 'changed'>;
  sink: Pick<Sink, 'name' | 'laneOf'>;
  window: Window;
  deadLetters: { add(letters: DeadLetter[]): Promise<void> };
  clock: Clock;
  log: Logger;
  pause: Pause;
  /** Messages that were accepted by this process have this sequence number or a later one, and are no older than it. */
  own: { seq: number; since: number };
  onMessage(lane: string, waiting: Waiting): void;
  /** Passed over, for now and ever. */
  onPassed(): void;
  onUnreadable(): void;
}

interface Found {
  lane: string;
  waiting: Waiting;
}

/** What is older was written before the wall clock was set: nobody knows when. */
const clockWasSet = Date.parse('2020-01-01T00:00:00Z');
const backOff = { firstMs: 500, maxMs: 30_000 };

export class Reader {
  /** The sequence number that is read next. */
  next: number;
  /** Why the spool cannot be read, for people. */
  problem: string | undefined;
  private readonly deps: ReaderDeps;
  /** When the last message of this process that was read was accepted, in seconds of uptime. */
  private latest: number;
  private failures = 0;
  private wakeUp: (() => void) | undefined;

  constructor(deps: ReaderDeps, from: number) {
    this.deps = deps;
    this.next = from;
    this.latest = deps.own.since;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { spool, pause } = this.deps;
    const stop = () => this.roomMade();
    signal.addEventListener('abort', stop);
    while (!signal.aborted) {
      try {
        await this.readOn(signal);
        this.worked();
        if (!signal.aborted) await spool.changed(this.next, signal);
      } catch (error) {
        if (signal.aborted) break;
        this.failed(error);
        await pause(backOffMs(this.failures, backOff), signal).catch(() => undefined);
      }
    }
    signal.removeEventListener('abort', stop);
  }

  /** The window has room again. */
  roomMade(): void {
    this.wakeUp?.();
  }

  /** Goes on behind what was dropped. */
  skipTo(seq: number): void {
    this.next = Math.max(this.next, seq);
    this.roomMade();
  }

  private async readOn(signal: AbortSignal) {
    const { spool, onPassed, onMessage } = this.deps;
    // Up to here all is read then, or is not there any more.
    const end = spool.next;
    let expected = this.next;
    for await (const { seq, text } of spool.read(expected)) {
      if (signal.aborted) return;
      const found = await this.understand(seq, text);
      if (found !== undefined) await this.room(text.length, signal);
      if (signal.aborted) return;
      // Much may have been dropped meanwhile.
      if (this.next > expected && seq < this.next) return;
      this.next = seq + 1;
      expected = this.next;
      if (found === undefined) onPassed();
      else onMessage(found.lane, found.waiting);
    }
    if (this.next >= end) return;
    this.next = end;
    onPassed();
    // A spool that says that there is more, and gives nothing, must not stop all else.
    await turn();
  }

  /** Undefined: it is nothing for this sink. */
  private async understand(seq: number, text: string): Promise<Found | undefined> {
    const { sink, deadLetters, clock, log, onUnreadable } = this.deps;
    try {
      const message = SpooledMessage.parse(JSON.parse(text));
      if (message.kind === 'notice' && (message.sink ?? sink.name) !== sink.name) return undefined;
      const since = this.sinceOf(seq, message);
      return { lane: sink.laneOf(message), waiting: { seq, message, bytes: text.length, since } };
    } catch (error) {
      const why = `record ${seq} of the spool is no message: ${errorText(error)}`;
      const at = new Date(clock.now()).toISOString();
      await deadLetters.add([{ at, from: sink.name, why, found: text }]);
      log.error({ sink: sink.name, seq, why }, 'record of the spool is no message');
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

  private async room(bytes: number, signal: AbortSignal) {
    while (!this.deps.window.hasRoomFor(bytes) && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wakeUp = resolve;
      });
      this.wakeUp = undefined;
    }
  }

  private worked() {
    const { log, sink } = this.deps;
    this.failures = 0;
    if (this.problem !== undefined)
      log.info({ sink: sink.name }, 'messages can be read from the spool again');
    this.problem = undefined;
  }

  private failed(error: unknown) {
    const { log, sink } = this.deps;
    const why = errorText(error);
    this.failures += 1;
    if (this.problem !== why)
      log.error({ sink: sink.name, err: error }, 'messages cannot be read from the spool');
    this.problem = why;
  }
}
