/**
 * From the spool to one sink: in order for each lane, all lanes side by side, again and again until it is there. The
 * sink's place in the spool is the first message that has not arrived; what is behind it is sent again after a restart.
 */
import { setMaxListeners } from 'node:events';
import { type Message, type Sink, SinkError } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import {
  type BackOffOptions,
  backOffMs,
  type Clock,
  errorText,
  type Logger,
  pause as usualPause,
} from '@skolo/common';
import type { Spool } from '@skolo/durable';
import type { GapNotice } from './deliver/gaps.ts';
import { Lanes, type Turn } from './deliver/lanes.ts';
import { Reader } from './deliver/reader.ts';
import { Teller } from './deliver/teller.ts';
import { Trouble } from './deliver/trouble.ts';
import { type Waiting, Window, type WindowBounds } from './deliver/window.ts';
import { graceMs, type Pause, within } from './deliver/within.ts';

export interface DeliveryDeps {
  spool: Pick<Spool, 'first' | 'next' | 'read' | 'changed' | 'cursor' | 'setCursor'>;
  sink: Sink;
  /** Where a sink begins that has no place in the spool yet; by default with the oldest message that is there. */
  from?: number;
  /** Durable when fulfilled. */
  deadLetters: { add(letters: DeadLetter[]): Promise<void> };
  /** Appends it to the spool. */
  notice(notice: GapNotice): Promise<void>;
  clock: Clock;
  log: Logger;
  random?: () => number;
  /** What is read ahead of what has arrived. */
  window?: WindowBounds;
  backOff?: Pick<BackOffOptions, 'firstMs' | 'maxMs'>;
  /** Longer than any sink takes that looks at its own time. */
  sendWithinMs?: number;
  pause?: Pause;
  onSent(sent: { messages: number; seconds: number }): void;
  onFailed(failure: { reason: string; code: string }): void;
  /** The sink will never take it, or it is no message: it is among the dead letters. */
  onRefused(): void;
}

/** Times in milliseconds since 1970. */
export interface DeliveryStatus {
  /** Messages that wait. */
  depth: number;
  /** How long the oldest of them has. */
  oldestSeconds: number;
  failingSince?: number;
  reason?: string;
  /** For people. */
  detail?: string;
}

const usualWindow = { messages: 1000, bytes: 8 * 2 ** 20 };
const usualBackOff = { firstMs: 500, maxMs: 30_000 };
/** A sink may ask to be left alone, but not for ever. */
const mostAskedSeconds = 900;

export class Delivery {
  private readonly deps: DeliveryDeps;
  private readonly pause: Pause;
  private readonly window: Window;
  private readonly lanes = new Lanes();
  private readonly teller: Teller;
  private readonly trouble: Trouble;
  private readonly reader: Reader;
  private readonly sending = new Set<Promise<void>>();
  /** Nothing new is begun. */
  private readonly stopping = new AbortController();
  /** What is under way ends. */
  private readonly ending = new AbortController();
  private reading: Promise<void> = Promise.resolve();
  private isResting = false;
  private isProbing = false;
  private isPumpDue = false;
  private isClosed = false;

  constructor(deps: DeliveryDeps) {
    const { spool, sink, clock, log, window = usualWindow, pause = usualPause } = deps;
    this.deps = deps;
    this.pause = pause;
    this.window = new Window(window);
    this.trouble = new Trouble({ sink: sink.name, clock, log });
    this.teller = new Teller({
      ...{ sink: sink.name, clock, log, pause, stopping: this.stopping.signal },
      notice: (notice) => deps.notice(notice),
      next: () => spool.next,
      rest: (failures) => this.restFor(failures),
      onReleased: () => this.movePlace(),
    });
    const from = spool.cursor(sink.name) ?? deps.from ?? spool.first;
    const own = { seq: spool.next, since: clock.uptime() };
    this.reader = new Reader(
      {
        ...{ spool, sink, window: this.window, deadLetters: deps.deadLetters, clock, log, own },
        pause,
        onMessage: (lane, waiting) => this.read(lane, waiting),
        onPassed: () => this.look(),
        onUnreadable: () => deps.onRefused(),
      },
      Math.min(Math.max(from, spool.first), spool.next),
    );
    // Every lane listens.
    setMaxListeners(0, this.stopping.signal, this.ending.signal);
  }

  /** From here on nothing that is in the spool is deleted before this sink has it. */
  start(): void {
    this.movePlace();
    this.reading = this.reader.run(this.stopping.signal);
  }

  /** What is under way may take this long to end; what has not arrived by then is sent again after the next start. */
  async stop(withinMs = 5000): Promise<void> {
    this.stopping.abort();
    await this.settled(withinMs);
    this.ending.abort();
    await this.settled(graceMs);
    await this.teller.flush();
    this.movePlace();
    this.isClosed = true;
  }

  status(): DeliveryStatus {
    const { clock, spool } = this.deps;
    const { window, reader } = this;
    const uptime = clock.uptime();
    const oldest = window.oldest();
    const { problem } = reader;
    return {
      depth: window.size + Math.max(0, spool.next - reader.next),
      oldestSeconds: oldest === undefined ? 0 : Math.max(0, uptime - oldest.since),
      ...(problem !== undefined && { reason: 'disk', detail: problem }),
      ...this.trouble.status(),
    };
  }

  /**
   * Gives up what is older and has not arrived, to make room in the spool. What is under way is not called back.
   *
   * @returns how many messages that were
   */
  skipTo(seq: number): number {
    const { spool } = this.deps;
    const dropped = this.lanes.dropBefore(seq);
    for (const waiting of dropped) this.window.remove(waiting);
    const unread = Math.max(0, Math.min(seq, spool.next) - this.reader.next);
    this.reader.skipTo(Math.min(seq, spool.next));
    this.trouble.forget((lane) => lane.state === 'idle');
    this.look();
    return dropped.length + unread;
  }

  private read(lane: string, waiting: Waiting) {
    this.window.add(waiting);
    this.lanes.add(lane, waiting);
    this.pumpSoon();
  }

  /** After what else happens in this turn of the event loop, so that a batch takes all that is there by then. */
  private pumpSoon() {
    if (this.isPumpDue) return;
    this.isPumpDue = true;
    setImmediate(() => {
      this.isPumpDue = false;
      this.pump();
    });
  }

  private pump() {
    const { limits } = this.deps.sink;
    while (this.maySend()) {
      const turn = this.lanes.take(limits.messages);
      if (turn === undefined) return;
      const isProbe = this.trouble.failures > 0;
      this.isProbing ||= isProbe;
      const sending = this.send(turn).finally(() => {
        if (isProbe) this.isProbing = false;
        this.sending.delete(sending);
        this.pumpSoon();
      });
      this.sending.add(sending);
    }
  }

  private maySend(): boolean {
    if (this.stopping.signal.aborted || this.isResting) return false;
    if (this.trouble.failures > 0) return !this.isProbing;
    return this.sending.size < this.deps.sink.limits.lanes;
  }

  /** Never throws. */
  private async send(turn: Turn): Promise<void> {
    const { sink, clock, sendWithinMs = 600_000 } = this.deps;
    const messages: Message[] = turn.batch.map(({ message }) => message);
    const begun = this.trouble.begin();
    const begunAt = clock.uptime();
    try {
      const closing = this.ending.signal;
      const { pause } = this;
      await within(sendWithinMs, (signal) => sink.send(messages, turn.lane.name, signal), {
        pause,
        closing,
      });
      if (this.isClosed) return;
      this.arrived(turn, begun, clock.uptime() - begunAt);
    } catch (error) {
      if (this.ending.signal.aborted) return;
      const failure = asSinkError(error);
      if (failure.reason === 'refused') await this.refused(turn, begun, failure);
      else this.failed(turn, begun, failure);
    }
  }

  private arrived(turn: Turn, begun: number, seconds: number) {
    const { onSent } = this.deps;
    const isBack = this.trouble.failures > 0;
    this.trouble.worked(turn.lane, begun);
    this.teller.arrived(turn.batch, isBack);
    this.settle(turn);
    onSent({ messages: turn.batch.length, seconds });
  }

  /** With one message it is known which: it goes to the dead letters. With more it is one of them. */
  private async refused(turn: Turn, begun: number, refusal: SinkError) {
    const { sink, clock, log, deadLetters, onFailed, onRefused } = this.deps;
    const { lane, batch } = turn;
    const { code, message: why } = refusal;
    onFailed({ reason: refusal.reason, code });
    const [first] = batch;
    if (batch.length > 1 || first === undefined) {
      this.trouble.worked(lane, begun);
      const middle = Math.ceil(batch.length / 2);
      return this.lanes.free(turn, batch.slice(0, middle), batch.slice(middle));
    }
    const at = new Date(clock.now()).toISOString();
    try {
      await deadLetters.add([{ at, from: sink.name, why, found: first.message }]);
    } catch (error) {
      const text = `${why}; and the message cannot be put in the dead letters: ${errorText(error)}`;
      return this.failed(turn, begun, new SinkError('disk', 'DEAD_LETTERS', text));
    }
    if (this.isClosed) return;
    log.error({ sink: sink.name, code, why, id: first.message.id }, 'sink refuses a message');
    this.trouble.worked(lane, begun);
    this.settle(turn);
    onRefused();
  }

  private failed(turn: Turn, begun: number, failure: SinkError) {
    const { onFailed } = this.deps;
    const { lane, batch } = turn;
    onFailed({ reason: failure.reason, code: failure.code });
    const verdict = this.trouble.failed(lane, begun, failure);
    if (verdict === 'lane') {
      this.lanes.rest(turn, [...batch]);
      void this.restFor(lane.failures, failure).then(() => {
        this.lanes.wake(lane);
        this.pumpSoon();
      });
      return;
    }
    this.lanes.free(turn, [...batch]);
    if (verdict === 'nobody') return;
    this.isResting = true;
    void this.restFor(this.trouble.failures, failure).then(() => {
      this.isResting = false;
      this.pumpSoon();
    });
  }

  private async restFor(failures: number, { retryAfterSeconds = 0 }: Partial<SinkError> = {}) {
    const { random = Math.random, backOff = usualBackOff } = this.deps;
    const ms = backOffMs(failures, { ...backOff, random });
    const asked = Math.min(retryAfterSeconds, mostAskedSeconds) * 1000;
    await this.pause(Math.max(ms, asked), this.stopping.signal).catch(() => undefined);
  }

  /** Nobody has to care for this batch any more. */
  private settle(turn: Turn) {
    for (const waiting of turn.batch) this.window.remove(waiting);
    this.lanes.free(turn);
    this.look();
    this.reader.roomMade();
  }

  /** Something has arrived, or was passed over. */
  private look() {
    this.teller.waits(this.lowest(), this.window.oldestAlert());
    this.movePlace();
  }

  private lowest(): number {
    return this.window.oldest()?.seq ?? this.reader.next;
  }

  private movePlace() {
    if (this.teller.isHolding || this.isClosed) return;
    const { spool, sink } = this.deps;
    const lowest = this.lowest();
    if (spool.cursor(sink.name) !== lowest) spool.setCursor(sink.name, lowest);
  }

  private async settled(ms: number) {
    const over = new AbortController();
    const all = Promise.all([...this.sending, this.reading, this.teller.idle()]);
    await Promise.race([all, this.pause(ms, over.signal).catch(() => undefined)]);
    over.abort();
  }
}

function asSinkError(error: unknown): SinkError {
  if (error instanceof SinkError) return error;
  const code = error instanceof Error ? error.name : 'UNKNOWN';
  return new SinkError('unavailable', code, errorText(error), { cause: error });
}
