/**
 * From the spool to one sink. The sink's cursor in the spool is the first message that has not arrived; the messages behind
 * it are sent again after a restart.
 */
import { setMaxListeners } from 'node:events';
import type { AlertMessage, Sink } from '@skolo/alerts';
import { pause as usualPause } from '@skolo/base';
import type { BackOffOptions, Clock } from '@skolo/common';
import type { Spool } from '@skolo/durable';
import type { EmitAlertEvent } from '../events.ts';
import type { NoticeDraft } from '../intake/notices.ts';
import { type BackOff, createBackOff, graceMs, type Pause } from './attempts.ts';
import { Backlog, type BacklogBounds, type Queue, type Waiting } from './backlog.ts';
import { batchArrived, endGap, noGap, noticeDueIn, takeNotice } from './gaps.ts';
import { readSpool } from './read-spool.ts';
import { Sender, type SenderDeps } from './sender.ts';

export interface DeliveryDeps extends Pick<SenderDeps, 'deadLetters' | 'sendWithinMs'> {
  spool: Pick<Spool, 'first' | 'next' | 'read' | 'changed' | 'cursor' | 'setCursor'>;
  sink: Sink;
  /** Where a sink without a cursor begins; by default with the oldest message. */
  from?: number;
  intake: {
    /** The sequence number of the first message that the known alerts do not have. */
    readonly next: number;
    /** Undefined: the alert does not fire. */
    refreshOf(fingerprint: string): AlertMessage | undefined;
    /** Appends a notice to the spool. */
    notify(notice: NoticeDraft): Promise<void>;
  };
  clock: Clock;
  emit: EmitAlertEvent;
  /** What is read ahead of what has arrived. */
  window?: BacklogBounds;
  pause?: Pause;
  random?: () => number;
  backOff?: Pick<BackOffOptions, 'firstMs' | 'maxMs'>;
}

/** Times in milliseconds since 1970. */
export interface DeliveryStatus {
  /** Messages that wait. */
  depth: number;
  /** How long the oldest of them has waited. */
  oldestSeconds: number;
  failingSince?: number;
  reason?: string;
  /** For people. */
  detail?: string;
  /** It accepts no message. */
  down?: true;
  /** Messages that became dead letters since the start. */
  setAside: number;
}

const usualWindow = { messages: 1000, bytes: 8 * 2 ** 20 };
/** Of a refresh in memory; an estimate. */
const refreshBytes = 1000;

export class Delivery {
  private readonly deps: DeliveryDeps;
  private readonly pause: Pause;
  private readonly backlog: Backlog;
  private readonly sender: Sender;
  private readonly backOff: BackOff;
  private readonly gaps = noGap();
  /** The sink rejects these alerts; they get no refresh until they change. */
  /** Queues with refreshes: this is asked after each batch, and there may be thousands of queues. */
  private readonly refreshing = new Set<Queue>();
  private readonly rejected = new Set<string>();
  private readonly stopping = new AbortController();
  private readonly ending = new AbortController();
  private reading: Promise<void> = Promise.resolve();
  private noticing: Promise<void> | undefined;
  /** The cursor stays, so that a crash does not lose the notice that is being written. */
  private isHeld = false;

  constructor(deps: DeliveryDeps) {
    const { spool, sink, window = usualWindow, pause = usualPause } = deps;
    const stopping = this.stopping.signal;
    this.deps = deps;
    this.pause = pause;
    const from = spool.cursor(sink.name) ?? deps.from ?? spool.first;
    this.backlog = new Backlog(Math.min(Math.max(from, spool.first), spool.next), window);
    this.backOff = createBackOff({ pause, stopping, random: deps.random, times: deps.backOff });
    this.sender = new Sender({
      ...deps,
      pause,
      stopping,
      backlog: this.backlog,
      backOff: this.backOff,
      ending: this.ending.signal,
      onArrived: (batch, isBack) => this.arrived(batch, isBack),
      onRejected: (batch) => this.rejectedBy(batch),
      onProgress: () => this.progress(),
    });
    // Every ordering key listens.
    setMaxListeners(0, stopping, this.ending.signal);
  }

  /** From here on nothing that is in the spool is deleted before this sink has it. */
  start(): void {
    const { backlog, sender } = this;
    this.moveCursor();
    this.reading = readSpool(
      {
        ...this.deps,
        backlog,
        isBlocked: (key) => sender.health.failures === 0 && (backlog.get(key)?.failures ?? 0) > 0,
        onRead: (waiting) => this.read(waiting),
        onDeadLetter: () => {
          sender.deadLetters += 1;
        },
        backOff: this.backOff,
      },
      this.stopping.signal,
    );
  }

  /** What is under way may take this long to end. What has not arrived by then is sent again after the next start. */
  async stop(withinMs = 5000): Promise<void> {
    this.stopping.abort();
    await this.settled(withinMs);
    this.ending.abort();
    await this.settled(graceMs);
    await this.writeNotice(false);
    this.moveCursor();
    this.sender.isClosed = true;
  }

  status(): DeliveryStatus {
    const { clock, spool } = this.deps;
    const { backlog, sender } = this;
    const { problem, failures } = sender.health;
    const uptime = clock.uptime();
    const oldest = backlog.oldest();
    return {
      depth: backlog.size + backlog.unread(spool.next),
      oldestSeconds: oldest === undefined ? 0 : Math.max(0, uptime - oldest.since),
      setAside: sender.deadLetters,
      ...(backlog.problem !== undefined && { reason: 'disk', detail: backlog.problem }),
      ...(problem !== undefined && {
        failingSince: clock.now() - (uptime - problem.since) * 1000,
        reason: problem.reason,
        detail: problem.detail,
        ...(failures > 0 && { down: true }),
      }),
    };
  }

  /**
   * Drops older messages, to make room in the spool, except what is under way.
   *
   * @returns how many messages those are
   */
  skipTo(seq: number): number {
    const dropped = this.backlog.skipTo(Math.min(seq, this.deps.spool.next));
    this.sender.forgetDropped();
    this.progress();
    return dropped;
  }

  /** Sends a refresh of these alerts once all that waits for them was sent. */
  refresh(fingerprints: readonly string[]): void {
    const { sink, intake, clock } = this.deps;
    for (const fingerprint of fingerprints) {
      const message = this.rejected.has(fingerprint) ? undefined : intake.refreshOf(fingerprint);
      if (message === undefined) continue;
      const queue = this.backlog.queue(sink.orderingKeyOf(message));
      if (!queue.refreshes.has(fingerprint)) queue.refreshes.set(fingerprint, clock.uptime());
      this.refreshing.add(queue);
    }
    this.fillRefreshes();
  }

  /** How long the oldest message of the spool has waited, in seconds. */
  get spooledSeconds(): number {
    const oldest = this.backlog.oldest(({ seq }) => Number.isFinite(seq));
    return oldest === undefined ? 0 : Math.max(0, this.deps.clock.uptime() - oldest.since);
  }

  private read(waiting: Waiting | undefined): void {
    if (waiting === undefined) {
      this.progress();
      return;
    }
    const { message } = waiting;
    if (message.kind === 'transition') this.rejected.delete(message.alert.fingerprint);
    this.backlog.add(waiting);
    this.sender.sendSoon();
  }

  private arrived(batch: readonly Waiting[], isBack: boolean): void {
    const { clock, spool } = this.deps;
    const at = { now: clock.now(), uptime: clock.uptime() };
    batchArrived(this.gaps, batch, at, spool.next, isBack);
  }

  private rejectedBy(batch: readonly Waiting[]): void {
    for (const { message } of batch) {
      if (message.kind !== 'notice') this.rejected.add(message.alert.fingerprint);
    }
  }

  /** Messages have arrived, or were passed over. */
  private progress(): void {
    const { clock, spool } = this.deps;
    const { backlog, gaps } = this;
    this.fillRefreshes();
    if (gaps.gap !== undefined) {
      const oldest = backlog.oldest(({ message }) => message.kind !== 'notice');
      endGap(gaps, backlog.lowest, oldest?.since, clock.uptime(), spool.next);
    }
    if (gaps.gap?.isOver) {
      this.noticing ??= this.writeNotices().finally(() => {
        this.noticing = undefined;
      });
    }
    this.moveCursor();
  }

  /** Refreshes are made when nothing else waits for their key, so that they never pass a change. */
  private fillRefreshes(): void {
    const { spool, sink, intake } = this.deps;
    const { backlog } = this;
    if (this.refreshing.size === 0 || this.stopping.signal.aborted) return;
    if (backlog.unread(spool.next) > 0 || spool.next !== intake.next) return;
    for (const queue of this.refreshing) {
      const { key, refreshes, state } = queue;
      if (state !== 'idle') continue;
      for (const [fingerprint, since] of [...refreshes].slice(0, sink.limits.messages)) {
        if (!backlog.hasRoomFor(refreshBytes)) return;
        refreshes.delete(fingerprint);
        const message = this.rejected.has(fingerprint) ? undefined : intake.refreshOf(fingerprint);
        if (message === undefined) continue;
        const seq = Number.POSITIVE_INFINITY;
        this.backlog.add({ seq, key, message, bytes: refreshBytes, since });
        this.sender.sendSoon();
      }
      if (refreshes.size === 0) this.refreshing.delete(queue);
    }
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
    if (this.isHeld || this.sender.isClosed) return;
    const { spool, sink } = this.deps;
    const { lowest } = this.backlog;
    if (spool.cursor(sink.name) !== lowest) spool.setCursor(sink.name, lowest);
  }

  private async settled(ms: number): Promise<void> {
    const over = new AbortController();
    const all = Promise.all([this.sender.idle(), this.reading, this.noticing]);
    await Promise.race([all, this.pause(ms, over.signal).catch(() => undefined)]);
    over.abort();
  }
}
