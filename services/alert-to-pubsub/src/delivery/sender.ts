/**
 * Sends the backlog to one sink: in order for each alert, several at a time, each batch until it has arrived. blame.ts decides what rests
 * after a failure, and when a message becomes a dead letter.
 *
 * Sends run in parallel with the delivery loop; their results wait until the loop takes them, so that state changes only in the loop.
 */
import {
  type BackOff,
  doubtTimes,
  newTimes,
  type Sink,
  SinkError,
  usualTimes,
} from '@skolo/alerts';
import { count, errorText } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import type { Arrived } from '../state/arrived.ts';
import { asSinkError, graceMs, type Pause, sendWithin, settled } from './attempts.ts';
import type { Backlog, Turn } from './backlog.ts';
import { failed, notSetAside, recovered, type SinkHealth, worked } from './blame.ts';
import type { Queue, Waiting } from './queue.ts';
import type { SetAside } from './set-aside.ts';

interface SenderDeps {
  sink: Sink;
  backlog: Backlog;
  health: SinkHealth;
  setAside: SetAside;
  arrived: Arrived;
  clock: Clock;
  emit: EmitAlertEvent;
  pauses: { pause: Pause; backOff: BackOff; sendWithinMs: number };
  /** No new sends begin; sends in flight end. */
  signals: { stopping: AbortSignal; ending: AbortSignal };
  /** Wakes the loop, which takes the results. */
  wake(): void;
}

/** The result of a batch. `back`: it has arrived, after the sink had failed. */
export interface Outcome {
  batch: readonly Waiting[];
  type: 'arrived' | 'back' | 'rejected';
}

/** In seconds, for `perMinute` of a sink: one more than a minute, because some requests arrive later than others. */
const minute = 61;

export class Sender {
  private readonly deps: SenderDeps;
  private readonly underWay = new Set<Promise<void>>();
  private results: (() => void)[] = [];
  private outcomes: Outcome[] = [];
  /** What is tried while the sink is down. */
  private probing: Turn | undefined;
  /** Pauses of the sink in progress. */
  private rests = 0;
  /** It has received as many messages as it accepts in a minute. */
  private isFull = false;
  /** When messages were sent to a sink that limits them, in seconds of uptime. */
  private sentAt: number[] = [];
  /** Repeated attempts at a sink that has accepted nothing since its settings changed. */
  private repeats = 0;
  private isPacing = false;

  constructor(deps: SenderDeps) {
    this.deps = deps;
  }

  get hasResults(): boolean {
    return this.results.length > 0;
  }

  /** Nothing is in flight, and all results were taken. */
  get isIdle(): boolean {
    return this.underWay.size === 0 && !this.hasResults;
  }

  /**
   * Nothing more is sent before a pause of the sink, or the attempt while it is down, has ended. While it is full, the spool is read on, so
   * that the most urgent message is next.
   */
  get isWaiting(): boolean {
    return this.rests > 0 || (this.deps.health.failures > 0 && this.probing !== undefined);
  }

  /** Takes the available results, and returns what happened to the messages. */
  takeResults(): Outcome[] {
    for (const take of this.results.splice(0)) take();
    return this.outcomes.splice(0);
  }

  /** Sends as much as the sink accepts at once. */
  send(): void {
    const { backlog, health, pauses, arrived, emit, sink, signals } = this.deps;
    for (const times of backlog.givenUp.splice(0))
      emit({ type: 'not-repeated', sink: sink.name, times });
    for (const queue of backlog.doubtful.splice(0)) {
      this.restQueue(queue, arrived.doubts.get(queue.head ?? 0) ?? 1);
    }
    while (this.maySend()) {
      const fullFor = this.fullFor();
      if (fullFor > 0) {
        this.isFull = true;
        this.later(pauses.pause(fullFor * 1000, signals.stopping), () => {
          this.isFull = false;
        });
        return;
      }
      const turn = backlog.nextTurn(!this.isPacing, health.failures > 0);
      if (turn === undefined) return;
      if (health.failures > 0) this.probing = turn;
      if (turn.queues[0].rejections > 0 && !health.hasAccepted) {
        this.isPacing = true;
        this.repeats += 1;
        this.later(pauses.backOff(this.repeats, undefined, newTimes), () => {
          this.isPacing = false;
        });
      }
      this.attempt(turn);
    }
  }

  /** Forgets failures of queues whose messages were dropped. */
  forgetDropped(): void {
    const { failing } = this.deps.health;
    for (const queue of [...failing]) if (queue.state === 'idle') failing.delete(queue);
    this.reportRecovery();
  }

  /** While the sink is down, one turn at a time is tried. */
  private maySend(): boolean {
    const { sink, backlog, health, signals } = this.deps;
    if (signals.stopping.aborted || this.isWaiting || this.isFull) return false;
    return health.failures > 0 || backlog.busy < sink.limits.orderingKeys;
  }

  /** Seconds until the sink accepts another message, as far as is known. */
  private fullFor(): number {
    const { sink, clock } = this.deps;
    const { perMinute = Number.POSITIVE_INFINITY } = sink.limits;
    const uptime = clock.uptime();
    this.sentAt = this.sentAt.filter((at) => uptime - at < minute);
    const [first = uptime] = this.sentAt;
    return this.sentAt.length < perMinute ? 0 : first + minute - uptime;
  }

  private attempt(turn: Turn): void {
    const { signals, health, sink, clock } = this.deps;
    const { era } = health;
    if (sink.limits.perMinute !== undefined) {
      this.sentAt.push(...turn.batch.map(() => clock.uptime()));
    }
    this.start(this.sendBatch(turn), (error) => {
      if (error !== undefined && signals.ending.aborted) {
        if (error.mayHaveArrived) this.countDoubts(turn);
        return;
      }
      if (this.probing === turn) this.probing = undefined;
      if (error === undefined) this.arrived(turn, era);
      else this.failed(turn, era, error);
    });
  }

  /** Never throws. */
  private async sendBatch({ queues, batch }: Turn): Promise<SinkError | undefined> {
    const { sink, pauses, signals } = this.deps;
    const { pause, sendWithinMs } = pauses;
    const messages = batch.map(({ message }) => message);
    const send = (signal: AbortSignal) => sink.send(messages, queues[0].orderingKey, signal);
    try {
      await sendWithin(sendWithinMs, send, { pause, closing: signals.ending });
      return undefined;
    } catch (thrown) {
      return asSinkError(thrown);
    }
  }

  private arrived(turn: Turn, era: number): void {
    const { sink, emit, health } = this.deps;
    const type = health.failures > 0 ? 'back' : 'arrived';
    worked(health, era);
    this.repeats = 0;
    this.isPacing = false;
    this.settle(turn, type);
    emit({ type: 'sent', sink: sink.name, messages: turn.batch.length });
  }

  private failed(turn: Turn, era: number, failure: SinkError): void {
    const { backlog, clock, health, sink, emit, pauses } = this.deps;
    const { reason, code, message, mayHaveArrived } = failure;
    const times = mayHaveArrived ? this.countDoubts(turn) : 0;
    const doubt = times > 0 ? `; the message may have arrived ${count(times, 'time')}` : '';
    const why = message + doubt;
    emit({ type: 'send-failed', sink: sink.name, reason, code, why });
    health.problem = { since: health.problem?.since ?? clock.uptime(), reason, detail: why };
    const verdict = failed(health, turn, era, failure);
    if (verdict === 'message') this.reject(turn, era, failure);
    else if (times > 0) this.doubt(turn, times);
    else backlog.end(turn, verdict === 'alert' ? 'resting' : 'failed');
    // What was in flight with the first 429 may be told to wait for longer.
    if (verdict === 'sink' || reason === 'quota') {
      const times = health.hasAccepted ? usualTimes : newTimes;
      this.rest(pauses.backOff(health.failures, failure, times));
    }
    if (verdict === 'alert') {
      const [queue] = turn.queues;
      // If no later message waits for this one, a receiver that is wrong for a moment has time to recover.
      const count = queue.rejections + (queue.left.seqs.length > 1 ? 2 : 5);
      const rest = health.hasAccepted ? pauses.backOff(count, failure) : Promise.resolve();
      this.later(rest, () => backlog.resume(queue));
    }
  }

  /** The messages may have arrived. Returns how often the one that was sent most often. */
  private countDoubts({ batch }: Turn): number {
    return Math.max(...batch.map(({ seq }) => this.deps.arrived.doubt(seq)));
  }

  /** The messages may have arrived: they rest, longer each time, unless a later one takes their place. */
  private doubt(turn: Turn, times: number): void {
    const { backlog, arrived, pauses } = this.deps;
    // Before anything later is sent, so that a crash never brings them after it.
    this.start(settled(arrived.save(), graceMs, pauses.pause), () => {
      backlog.end(turn, 'doubtful');
      this.forgetDropped();
      for (const queue of turn.queues) this.restQueue(queue, times);
    });
  }

  private restQueue(queue: Queue, times: number): void {
    const { backlog, pauses } = this.deps;
    queue.rests += 1;
    const { rests } = queue;
    this.later(pauses.backOff(times, undefined, doubtTimes), () => {
      // Otherwise another message rests by now.
      if (queue.rests === rests) backlog.resume(queue);
    });
  }

  private rest(pause: Promise<void>): void {
    this.rests += 1;
    this.later(pause, () => {
      this.rests -= 1;
    });
  }

  /** Makes the message a dead letter. */
  private reject(turn: Turn, era: number, failure: SinkError): void {
    this.start(this.addDeadLetter(turn, failure), (error) => {
      if (error === undefined) this.settle(turn, 'rejected');
      else this.failed(turn, era, error);
    });
  }

  /** Returns why it could not be written. */
  private async addDeadLetter(turn: Turn, failure: SinkError): Promise<SinkError | undefined> {
    // The message before a refresh contains everything that the refresh contains.
    const lost = turn.batch.filter(({ message }) => message.kind !== 'refresh');
    const { code, message: why } = failure;
    try {
      const rejected = lost.map(({ message }) => ({ found: message, id: message.id }));
      await this.deps.setAside.add(rejected, { why, code }, Number.POSITIVE_INFINITY);
      return undefined;
    } catch (error) {
      const text = `${why}; the dead letter could not be written: ${errorText(error)}`;
      return new SinkError('disk', notSetAside, text);
    }
  }

  private settle(turn: Turn, type: Outcome['type']): void {
    const { backlog, health } = this.deps;
    backlog.end(turn, 'arrived');
    for (const queue of turn.queues) health.failing.delete(queue);
    this.reportRecovery();
    this.outcomes.push({ batch: turn.batch, type });
  }

  /** Runs it in parallel with the loop, which then takes its result. */
  private start<T>(work: Promise<T>, take: (result: T) => void): void {
    const done = work.then((result) => {
      this.underWay.delete(done);
      this.put(() => take(result));
    });
    this.underWay.add(done);
  }

  private put(take: () => void): void {
    this.results.push(take);
    this.deps.wake();
  }

  /** Once the pause is over, or the delivery stops. */
  private later(pause: Promise<void>, take: () => void): void {
    void pause.catch(() => undefined).then(() => this.put(take));
  }

  private reportRecovery(): void {
    const { sink, clock, emit, health } = this.deps;
    const seconds = recovered(health, clock.uptime());
    if (seconds !== undefined) emit({ type: 'sink-recovered', sink: sink.name, seconds });
  }
}
