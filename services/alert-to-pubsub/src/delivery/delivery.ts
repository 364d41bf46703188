/**
 * Delivers the spool to one sink: one loop takes the results of sends, reads ahead, and sends. The sink's cursor in the spool is the first
 * message that has not arrived.
 */
import { setMaxListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { type AlertMessage, type BackOff, createBackOff, type Sink } from '@skolo/alerts';
import { type BackOffOptions, errorText, pause as usualPause } from '@skolo/base';
import type { Spool } from '@skolo/base/durable';
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import type { NoticeDraft } from '../intake/notices.ts';
import { Arrived } from '../state/arrived.ts';
import { graceMs, type Pause, settled } from './attempts.ts';
import { Backlog, type BacklogBounds } from './backlog.ts';
import { newHealth, type SinkHealth } from './blame.ts';
import { batchArrived, endGap, noGap, noticeDueIn, takeNotice } from './gaps.ts';
import { SpoolReader, type Step } from './read-spool.ts';
import { Refreshes } from './refreshes.ts';
import { type Outcome, Sender } from './sender.ts';
import { SetAside, type SetAsideDeps } from './set-aside.ts';

export interface DeliveryDeps {
  spool: Pick<Spool, 'first' | 'next' | 'read' | 'changed' | 'cursor' | 'setCursor'>;
  sink: Sink;
  /** Where a sink without a cursor begins; default: at the oldest message. */
  from?: number;
  /** It has accepted a message since its settings changed. */
  hasAccepted?: boolean;
  /** What has arrived after the sink's cursor. */
  arrived?: Arrived;
  deadLetters: SetAsideDeps['deadLetters'];
  intake: {
    /** The sequence number of the first message that is not yet in the known alerts. */
    readonly next: number;
    /** Undefined: the alert does not fire. */
    refreshOf(fingerprint: string): AlertMessage | undefined;
    /** Appends a notice to the spool. */
    notify(notice: NoticeDraft): Promise<void>;
  };
  clock: Clock;
  emit: EmitAlertEvent;
  /** What is read ahead of the messages that have arrived. */
  window?: BacklogBounds;
  /** Longer than the time limit of any sink that has its own. */
  sendWithinMs?: number;
  pause?: Pause;
  random?: () => number;
  backOff?: Pick<BackOffOptions, 'firstMs' | 'maxMs'>;
}

/** Times in milliseconds since 1970. */
export interface DeliveryStatus {
  /** The number of waiting messages. */
  depth: number;
  /** How long the oldest of them has waited. */
  oldestSeconds: number;
  failingSince?: number;
  reason?: string;
  /** For people. */
  detail?: string;
  /** It does not accept messages. */
  down?: true;
  /** Messages that became dead letters since the start. */
  setAside: number;
  /** How often waiting messages may have arrived: the most of any of them. */
  doubtful?: number;
}

export const usualWindow = { messages: 1000, bytes: 8 * 2 ** 20 };
/** Consecutive steps of the reader: what was read is sent, even if there is always more. */
const mostSteps = 1000;

export class Delivery {
  private readonly deps: DeliveryDeps;
  private readonly pause: Pause;
  private readonly backlog: Backlog;
  private readonly arrived: Arrived;
  private readonly health: SinkHealth;
  private readonly setAside: SetAside;
  private readonly reader: SpoolReader;
  private readonly sender: Sender;
  private readonly refreshes: Refreshes;
  private readonly backOff: BackOff;
  private readonly gaps = noGap();
  private readonly stopping = new AbortController();
  private readonly ending = new AbortController();
  /** Something has happened since the loop last slept. */
  private woken = Promise.withResolvers<void>();
  private steps: AsyncGenerator<Step, void, void>;
  /** Consecutive failures to read the spool. */
  private readFailures = 0;
  /** Why it cannot be read, for people. */
  private readProblem: string | undefined;
  private isReadingLater = false;
  /** The loop is woken when the spool has more. */
  private isWatching = false;
  private running: Promise<void> = Promise.resolve();
  private noticing: Promise<void> | undefined;
  /** The cursor stays, so that a crash does not lose the notice that is being written. */
  private isHeld = false;
  /** Results are ignored from here on. */
  private isClosed = false;

  constructor(deps: DeliveryDeps) {
    const { spool, sink, intake, deadLetters, clock, emit, window = usualWindow } = deps;
    const { pause = usualPause, random, backOff: times, sendWithinMs = 600_000 } = deps;
    const signals = { stopping: this.stopping.signal, ending: this.ending.signal };
    const backOff = createBackOff({ pause, stopping: signals.stopping, random, times });
    const pauses = { pause, backOff, sendWithinMs };
    const from = spool.cursor(sink.name) ?? deps.from ?? spool.first;
    const { arrived = new Arrived() } = deps;
    const begin = Math.min(Math.max(from, spool.first), spool.next);
    const backlog = new Backlog(begin, window, sink, arrived);
    const health = newHealth(deps.hasAccepted ?? false);
    const setAside = new SetAside({ sink, deadLetters, clock, emit });
    const refreshOf = (fingerprint: string) => intake.refreshOf(fingerprint);
    const wake = () => this.woken.resolve();
    this.deps = deps;
    this.pause = pause;
    this.backOff = backOff;
    this.backlog = backlog;
    this.arrived = arrived;
    this.health = health;
    this.setAside = setAside;
    this.reader = new SpoolReader({ spool, sink, backlog, arrived, setAside, clock });
    this.steps = this.reader.steps();
    const parts = { sink, backlog, arrived, health, setAside, clock, emit, pauses, signals, wake };
    this.sender = new Sender(parts);
    this.refreshes = new Refreshes({ backlog, refreshOf, clock });
    // Every alert that rests adds a listener.
    setMaxListeners(0, ...Object.values(signals));
  }

  /** From here on, nothing in the spool is deleted before this sink has received it. */
  start(): void {
    this.moveCursor();
    this.running = this.run();
  }

  /** How long sends in flight may take to end. What has not arrived by then is sent again after the next start. */
  async stop(withinMs = 5000): Promise<void> {
    this.stopping.abort();
    this.woken.resolve();
    await this.settled(withinMs);
    this.ending.abort();
    await this.settled(graceMs);
    await this.writeNotice(false);
    this.moveCursor();
    this.isClosed = true;
  }

  status(): DeliveryStatus {
    const { clock, spool } = this.deps;
    const { backlog, health, readProblem } = this;
    const { problem, failures, isDown } = health;
    const uptime = clock.uptime();
    const { doubts } = this.arrived;
    return {
      depth: backlog.depth(spool.next),
      oldestSeconds: Math.max(0, uptime - (backlog.oldestSince ?? uptime)),
      setAside: this.setAside.count,
      ...(doubts.size > 0 && { doubtful: Math.max(...doubts.values()) }),
      ...(readProblem !== undefined && { reason: 'disk', detail: readProblem }),
      ...(problem !== undefined && {
        failingSince: clock.now() - (uptime - problem.since) * 1000,
        reason: problem.reason,
        detail: problem.detail,
        ...((isDown || failures > 0) && { down: true }),
      }),
    };
  }

  /**
   * Drops older messages, to make room in the spool, except those in flight.
   *
   * @returns the number of these messages
   */
  skipTo(seq: number): number {
    const dropped = this.backlog.skipTo(Math.min(seq, this.deps.spool.next));
    this.sender.forgetDropped();
    this.progress();
    this.woken.resolve();
    return dropped;
  }

  /** Sends a refresh of these alerts once everything that waits for them has been sent. */
  refresh(fingerprints: readonly string[]): void {
    this.refreshes.add(fingerprints);
    this.woken.resolve();
  }

  /** How long the oldest message of the spool has waited, in seconds. */
  get spooledSeconds(): number {
    const { lowest, next, oldestSince = 0 } = this.backlog;
    return lowest < next ? Math.max(0, this.deps.clock.uptime() - oldestSince) : 0;
  }

  /** Runs until it is stopped and nothing is in flight. Never rejects. */
  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!this.isClosed) {
      for (const outcome of this.sender.takeResults()) this.applyOutcome(outcome);
      // While nothing can be sent, a storm must not cost a read of the spool for each alert.
      if (!signal.aborted && !this.sender.isWaiting) await this.readAhead();
      this.progress();
      this.sender.send();
      if (signal.aborted && this.sender.isIdle) break;
      if (this.backlog.wanted.size > 0 && !this.sender.isWaiting) this.woken.resolve();
      await this.woken.promise;
      // Events of the same turn of the event loop belong together: a batch contains all of them.
      await turn();
      this.woken = Promise.withResolvers();
    }
    await this.steps.return().catch(() => undefined);
  }

  private applyOutcome({ type, batch }: Outcome): void {
    const { clock, spool } = this.deps;
    const at = { now: clock.now(), uptime: clock.uptime() };
    // A refresh has no position in the spool.
    for (const { seq } of batch) if (Number.isFinite(seq)) this.arrived.add(seq);
    if (type === 'rejected') this.refreshes.stopFor(batch);
    else batchArrived(this.gaps, batch, at, spool.next, type === 'back');
  }

  /** Until nothing more can be read now, or there are results. */
  private async readAhead(): Promise<void> {
    if (this.isReadingLater) return;
    try {
      if (this.backlog.wanted.size > 0) await this.reader.load();
      for (let steps = 0; steps < mostSteps && !this.sender.hasResults; steps += 1) {
        const { value: step } = await this.steps.next();
        if (step === undefined || this.stopping.signal.aborted) return;
        if (step === 'waits') return this.waitForMore();
        if (step !== 'passed') this.refreshes.changed(step.message);
      }
      this.woken.resolve();
    } catch (error) {
      this.readLater(error);
    }
  }

  private waitForMore(): void {
    const { spool, sink, emit } = this.deps;
    const { backlog } = this;
    if (this.readFailures > 0) emit({ type: 'spool-readable', sink: sink.name });
    this.readFailures = 0;
    this.readProblem = undefined;
    if (this.isWatching || backlog.next < spool.next) return;
    this.isWatching = true;
    void spool
      .changed(backlog.next, this.stopping.signal)
      .catch((error: unknown) => this.readLater(error))
      .finally(() => {
        this.isWatching = false;
        this.woken.resolve();
      });
  }

  private readLater(error: unknown): void {
    const { sink, emit } = this.deps;
    if (this.stopping.signal.aborted) return;
    this.readFailures += 1;
    this.readProblem = errorText(error);
    emit({ type: 'spool-unreadable', sink: sink.name, error });
    this.steps = this.reader.steps();
    this.isReadingLater = true;
    void this.backOff(this.readFailures).then(() => {
      this.isReadingLater = false;
      this.woken.resolve();
    });
  }

  /** Messages have arrived, or were skipped. */
  private progress(): void {
    const { clock, spool, intake } = this.deps;
    const { backlog, gaps } = this;
    const isAllRead = backlog.next >= spool.next && spool.next === intake.next;
    // So that they never overtake a change.
    if (isAllRead && !this.stopping.signal.aborted) this.refreshes.fill();
    if (gaps.gap !== undefined) {
      endGap(gaps, backlog.lowest, backlog.oldestSince, clock.uptime(), spool.next);
    }
    if (gaps.gap?.isOver) {
      this.noticing ??= this.writeNotices().finally(() => {
        this.noticing = undefined;
      });
    }
    this.moveCursor();
  }

  /** Until no gap is over. */
  private async writeNotices(): Promise<void> {
    const { clock, emit, sink } = this.deps;
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; ) {
      const due = noticeDueIn(this.gaps, clock.uptime());
      if (due === undefined) return;
      if (due > 0) await this.pause(due * 1000, signal).catch(() => undefined);
      else if (await this.writeNotice(failures === 0)) failures = 0;
      else {
        failures += 1;
        if (failures === 1) emit({ type: 'gap-notice-failed', sink: sink.name });
        await this.backOff(failures);
      }
    }
  }

  /** @param isHeld only the first time: a full spool accepts notices only once the cursor has moved */
  private async writeNotice(isHeld: boolean): Promise<boolean> {
    const { clock, sink, intake } = this.deps;
    const taken = takeNotice(this.gaps, sink.name, clock.uptime());
    if (taken === undefined) return true;
    this.isHeld = isHeld;
    try {
      await intake.notify(taken.notice);
      return true;
    } catch {
      taken.putBack();
      return false;
    } finally {
      this.isHeld = false;
      this.moveCursor();
    }
  }

  private moveCursor(): void {
    if (this.isHeld || this.isClosed) return;
    const { spool, sink } = this.deps;
    const { lowest } = this.backlog;
    this.arrived.limit(lowest);
    if (spool.cursor(sink.name) !== lowest) spool.setCursor(sink.name, lowest);
  }

  private async settled(ms: number): Promise<void> {
    await settled(Promise.all([this.running, this.noticing]), ms, this.pause);
  }
}
