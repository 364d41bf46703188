/**
 * From the spool to one sink: in order for each lane, all lanes side by side, again and again until it is there. The
 * sink's place in the spool is the first message that has not arrived; what is behind it is sent again after a restart.
 *
 * A message becomes a dead letter only when the sink takes others and not this one: `Trouble` decides.
 */
import { setMaxListeners } from 'node:events';
import type { Message, Sink, SinkError, SinkReason } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { type BackOffOptions, backOffMs, type Clock, pause as usualPause } from '@skolo/common';
import type { Spool } from '@skolo/durable';
import type { EmitAlertEvent } from '../events.ts';
import type { NoticeDraft } from '../notices.ts';
import { type Lane, Lanes, type Turn } from './lanes.ts';
import { Reader } from './reader.ts';
import { type KnownAlerts, Refreshes } from './refreshes.ts';
import { asSinkError, graceMs, type Pause, sendWithin } from './send.ts';
import { SetAside } from './set-aside.ts';
import { Teller } from './teller.ts';
import { Trouble } from './trouble.ts';
import { type Waiting, Window, type WindowBounds } from './window.ts';

export interface DeliveryDeps {
  spool: Pick<Spool, 'first' | 'next' | 'read' | 'changed' | 'cursor' | 'setCursor'>;
  sink: Sink;
  /** Where a sink begins that has no place in the spool yet; by default with the oldest message that is there. */
  from?: number;
  /** Durable when fulfilled. */
  deadLetters: { add(letters: DeadLetter[], mostBytes?: number): Promise<void> };
  /** `notify` appends a notice to the spool. */
  intake: KnownAlerts & { notify(notice: NoticeDraft): Promise<void> };
  clock: Clock;
  emit: EmitAlertEvent;
  random?: () => number;
  /** What is read ahead of what has arrived. */
  window?: WindowBounds;
  backOff?: Pick<BackOffOptions, 'firstMs' | 'maxMs'>;
  /** Longer than any sink takes that looks at its own time. */
  sendWithinMs?: number;
  pause?: Pause;
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
  /** It takes nothing at all. */
  down?: true;
  /** Messages that became dead letters since the start. */
  setAside: number;
}

const usualWindow = { messages: 1000, bytes: 8 * 2 ** 20 };
const usualBackOff = { firstMs: 500, maxMs: 30_000 };
/** A sink that is there and rejects what it gets is asked more often: there may be others that it takes. */
const rejectedMaxMs = 5000;
/** A sink may ask to be left alone, but not for ever. */
const mostAskedSeconds = 900;
/** In a longer time the sink may have come back. */
const promptSeconds = 1;
/** How often a lane fails with a sink that answers until those behind its first message are tried, and how many. */
const failuresBefore: Partial<Record<SinkReason, number>> = {
  refused: 3,
  unavailable: 8,
  permission: 8,
  topic: 8,
};
const mostBehind = 8;

export class Delivery {
  private readonly deps: DeliveryDeps;
  private readonly pause: Pause;
  private readonly window: Window;
  private readonly lanes = new Lanes();
  private readonly teller: Teller;
  private readonly trouble: Trouble;
  private readonly reader: Reader;
  private readonly setAside: SetAside;
  private readonly refreshes: Refreshes;
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
    const { spool, sink, intake, clock, emit, window = usualWindow, pause = usualPause } = deps;
    this.deps = deps;
    this.pause = pause;
    this.window = new Window(window);
    this.trouble = new Trouble({ sink: sink.name, clock, emit });
    this.setAside = new SetAside(deps);
    const { lanes } = this;
    this.refreshes = new Refreshes({
      ...{ sink, known: intake, lanes, window: this.window },
      allRead: () => (this.reader.unread === 0 ? spool.next : undefined),
    });
    this.teller = new Teller({
      ...{ sink: sink.name, intake, clock, emit, pause, stopping: this.stopping.signal },
      next: () => spool.next,
      rest: (failures) => this.restFor(failures),
      onReleased: () => this.movePlace(),
    });
    const from = spool.cursor(sink.name) ?? deps.from ?? spool.first;
    const own = { seq: spool.next, since: clock.uptime() };
    this.reader = new Reader(
      {
        ...{ spool, sink, window: this.window, deadLetters: deps.deadLetters, clock, emit, own },
        pause,
        isBlocked: (lane) => this.isBlocked(lane),
        onMessage: (waiting) => this.read(waiting),
        onPassed: () => this.look(),
        onUnreadable: () => this.setAside.counted(),
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
    const { clock } = this.deps;
    const { window, reader } = this;
    const uptime = clock.uptime();
    const oldest = window.oldest();
    const { problem } = reader;
    return {
      depth: window.size + reader.unread,
      oldestSeconds: oldest === undefined ? 0 : Math.max(0, uptime - oldest.since),
      setAside: this.setAside.count,
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
    const unread = this.reader.skipTo(Math.min(seq, spool.next));
    this.trouble.forget((lane) => lane.state === 'idle');
    this.look();
    return dropped.length + unread;
  }

  /** These alerts go on: they are told again once all that waits for them was sent. */
  refresh(fingerprints: readonly string[]): void {
    this.refreshes.add(fingerprints, this.deps.clock.uptime());
    this.fill();
  }

  /** How long the oldest message of the spool has waited, in seconds. */
  get spooledSeconds(): number {
    const oldest = this.window.oldest({ isSpooled: true });
    return oldest === undefined ? 0 : Math.max(0, this.deps.clock.uptime() - oldest.since);
  }

  private fill() {
    if (!this.stopping.signal.aborted) this.refreshes.fill((waiting) => this.read(waiting));
  }

  private read(waiting: Waiting) {
    this.refreshes.read(waiting);
    this.window.add(waiting);
    this.lanes.add(waiting);
    this.pumpSoon();
  }

  /** While the sink is down, all lanes fail alike. */
  private isBlocked(name: string): boolean {
    return this.trouble.failures === 0 && (this.lanes.get(name)?.failures ?? 0) > 0;
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
    return this.sending.size < this.deps.sink.limits.orderingKeys;
  }

  /** Never throws. */
  private async send(turn: Turn): Promise<void> {
    const { clock } = this.deps;
    const begun = this.trouble.begin();
    const begunAt = clock.uptime();
    const blame = this.setAside.blameOf(turn.batch[0]);
    if (blame !== undefined) return this.bury(turn, begun, blame);
    try {
      await this.attempt(turn);
      if (this.isClosed) return;
      this.arrived(turn, begun, clock.uptime() - begunAt);
    } catch (error) {
      if (this.ending.signal.aborted) return;
      const failure = asSinkError(error);
      const isPrompt = clock.uptime() - begunAt < promptSeconds;
      await this.failed(turn, begun, failure, isPrompt);
    }
  }

  /** @throws unknown */
  private async attempt({ lane, batch }: Turn): Promise<void> {
    const { sink, sendWithinMs = 600_000 } = this.deps;
    const messages: Message[] = batch.map(({ message }) => message);
    const closing = this.ending.signal;
    const { pause } = this;
    const send = (signal: AbortSignal) => sink.send(messages, lane.name, signal);
    await sendWithin(sendWithinMs, send, { pause, closing });
  }

  private arrived(turn: Turn, begun: number, seconds: number) {
    const { sink, emit } = this.deps;
    const isBack = this.trouble.failures > 0;
    this.trouble.worked(turn.lane, begun);
    this.teller.arrived(turn.batch, isBack);
    this.settle(turn);
    emit({ type: 'sent', sink: sink.name, messages: turn.batch.length, seconds });
  }

  private async failed(
    turn: Turn,
    begun: number,
    failure: SinkError,
    isPrompt: boolean,
  ): Promise<void> {
    const { lane, batch } = turn;
    const { reason } = failure;
    this.emitFailure(failure);
    if (reason === 'too-large') return this.tooLarge(turn, begun, failure);
    const verdict = this.trouble.failed(lane, begun, failure);
    // One of them may be to blame, and the others not.
    const isSplit = batch.length > 1 && (reason === 'refused' || lane.strikes > 0);
    const again = isSplit ? halvesOf(batch) : [[...batch]];
    if (isSplit) lane.strikes = 0;
    else if (verdict === 'message') return this.bury(turn, begun, failure);
    else if (verdict === 'sink' && isPrompt && (await this.tryBehind(turn, failure))) return;
    if (verdict === 'nobody') return this.lanes.free(turn, ...again);
    if (verdict === 'sink') {
      this.lanes.free(turn, ...again);
      this.isResting = true;
      void this.restFor(isSplit ? 1 : this.trouble.failures, failure).then(() => {
        this.isResting = false;
        this.pumpSoon();
      });
      return;
    }
    this.lanes.rest(turn, ...again);
    this.leaveMost(lane);
    void this.restFor(isSplit ? 1 : lane.failures, failure).then(() => {
      this.lanes.wake(lane);
      this.pumpSoon();
    });
  }

  /** Whether the sink takes others does not matter. */
  private async tooLarge(turn: Turn, begun: number, failure: SinkError): Promise<void> {
    if (turn.batch.length > 1) return this.lanes.free(turn, ...halvesOf(turn.batch));
    return this.bury(turn, begun, failure);
  }

  private async bury(turn: Turn, begun: number, failure: SinkError): Promise<void> {
    const trouble = await this.setAside.add(turn.batch, failure);
    if (this.isClosed) return;
    if (trouble !== undefined) return this.failed(turn, begun, trouble, false);
    this.refreshes.reject(turn.batch);
    this.trouble.released(turn.lane);
    this.settle(turn);
  }

  /**
   * Where each lane is blocked by a message of its own, no other message shows that the sink works. So, after several
   * failures, those behind the first one are tried at once: when one gets through, those before it are to blame. None of
   * these is sent again, so that the order is kept.
   *
   * @returns whether one got through
   */
  private async tryBehind({ lane, batch }: Turn, failure: SinkError): Promise<boolean> {
    const { clock } = this.deps;
    if (batch.length > 1 || lane.failures < (failuresBefore[failure.reason] ?? Infinity))
      return false;
    const passed = [...batch];
    while (passed.length <= mostBehind && !this.stopping.signal.aborted) {
      const waiting = this.lanes.takeNext(lane);
      if (waiting === undefined) break;
      const turn = { lane, batch: [waiting] };
      const begun = this.trouble.begin();
      const begunAt = clock.uptime();
      try {
        await this.attempt(turn);
        const trouble = await this.setAside.add(passed, failure);
        if (this.isClosed) return true;
        if (trouble === undefined) {
          this.refreshes.reject(passed);
          this.refreshes.settled(passed);
          for (const each of passed) this.window.remove(each);
        }
        if (trouble !== undefined) this.lanes.putBack(lane, passed);
        this.arrived(turn, begun, clock.uptime() - begunAt);
        return true;
      } catch (error) {
        const next = asSinkError(error);
        passed.push(waiting);
        if (this.ending.signal.aborted) break;
        this.emitFailure(next);
        // Only of the moment in which the first one failed something can be said.
        if (next.reason !== failure.reason || clock.uptime() - begunAt >= promptSeconds) break;
      }
    }
    this.lanes.putBack(lane, passed.slice(1));
    return false;
  }

  private emitFailure({ reason, code, message: why }: SinkError) {
    this.deps.emit({ type: 'send-failed', sink: this.deps.sink.name, reason, code, why });
  }

  /** What a lane that is blocked holds of the window beyond its share is read again later. */
  private leaveMost(lane: Lane) {
    while (this.window.exceedsShare(lane.name)) {
      const last = this.lanes.dropLast(lane);
      if (last === undefined) break;
      this.window.remove(last);
      if (Number.isFinite(last.seq)) this.reader.leave(last);
      else this.refreshes.settled([last]);
    }
    this.reader.roomMade();
  }

  private async restFor(
    failures: number,
    { reason, retryAfterSeconds = 0 }: Partial<SinkError> = {},
  ) {
    const { random = Math.random, backOff = usualBackOff } = this.deps;
    const maxMs = reason === 'refused' ? Math.min(rejectedMaxMs, backOff.maxMs) : backOff.maxMs;
    const ms = backOffMs(failures, { ...backOff, maxMs, random });
    const asked = Math.min(retryAfterSeconds, mostAskedSeconds) * 1000;
    await this.pause(Math.max(ms, asked), this.stopping.signal).catch(() => undefined);
  }

  /** Nobody has to care for this batch any more. */
  private settle(turn: Turn) {
    for (const waiting of turn.batch) this.window.remove(waiting);
    this.refreshes.settled(turn.batch);
    this.lanes.free(turn);
    this.look();
    this.reader.roomMade();
  }

  /** Something has arrived, or was passed over. */
  private look() {
    this.fill();
    this.teller.waits(this.lowest(), this.window.oldestAlert());
    this.movePlace();
  }

  private lowest(): number {
    return Math.min(this.window.lowest(), this.reader.lowest);
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

function halvesOf(batch: readonly Waiting[]): Waiting[][] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
