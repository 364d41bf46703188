/**
 * Sends the backlog to one sink: in order for each ordering key, several keys at a time, each batch until it has arrived.
 * A message becomes a dead letter only when the sink accepts others and not this one: blame.ts decides.
 */
import { type Message, type Sink, SinkError, type SinkReason } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import { asSinkError, type BackOff, type Pause, sendWithin } from './attempts.ts';
import type { Backlog, Turn, Waiting } from './backlog.ts';
import { begin, failed, newHealth, recovered, released, worked } from './blame.ts';

export interface SenderDeps {
  sink: Sink;
  backlog: Backlog;
  /** Durable when fulfilled. */
  deadLetters: { add(letters: DeadLetter[], mostBytes?: number): Promise<void> };
  clock: Clock;
  emit: EmitAlertEvent;
  pause: Pause;
  backOff: BackOff;
  /** Longer than any sink takes that limits its own time. */
  sendWithinMs?: number | undefined;
  /** Nothing new begins. */
  stopping: AbortSignal;
  /** What is under way ends. */
  ending: AbortSignal;
  /** `isBack`: the sink had failed before. */
  onArrived(batch: readonly Waiting[], isBack: boolean): void;
  onRejected(batch: readonly Waiting[]): void;
  /** Messages have left the backlog. */
  onProgress(): void;
}

/** In a longer time the sink may have recovered. */
const promptSeconds = 1;
/** Failures of a key at a sink that answers, until the messages behind its first one are tried, and how many of them. */
const failuresBefore: Partial<Record<SinkReason, number>> = {
  refused: 3,
  unavailable: 8,
  permission: 8,
  topic: 8,
};
const mostBehind = 8;

export class Sender {
  readonly health = newHealth();
  /** Messages that became dead letters since the start. */
  deadLetters = 0;
  /** Results are ignored from here on. */
  isClosed = false;
  private readonly deps: SenderDeps;
  private readonly sending = new Set<Promise<void>>();
  /** Rejected messages that the dead letters do not have yet. */
  private readonly unsaved = new WeakMap<Waiting, SinkError>();
  private isResting = false;
  private isProbing = false;
  private isPumpDue = false;

  constructor(deps: SenderDeps) {
    this.deps = deps;
  }

  /** Sends after what else happens in this turn of the event loop, so that a batch has all that is there by then. */
  sendSoon(): void {
    if (this.isPumpDue) return;
    this.isPumpDue = true;
    setImmediate(() => {
      this.isPumpDue = false;
      this.pump();
    });
  }

  /** Fulfilled when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.sending);
  }

  /** Forgets failures of queues whose messages were dropped. */
  forgetDropped(): void {
    for (const queue of [...this.health.failing.keys()]) {
      if (queue.state === 'idle') this.health.failing.delete(queue);
    }
    this.reportRecovery();
  }

  private pump(): void {
    const { sink, backlog } = this.deps;
    while (this.maySend()) {
      const turn = backlog.take(sink.limits.messages);
      if (turn === undefined) return;
      const isProbe = this.health.failures > 0;
      this.isProbing ||= isProbe;
      const sending = this.send(turn).finally(() => {
        if (isProbe) this.isProbing = false;
        this.sending.delete(sending);
        this.sendSoon();
      });
      this.sending.add(sending);
    }
  }

  /** While the sink is down, one key at a time tries. */
  private maySend(): boolean {
    if (this.deps.stopping.aborted || this.isResting) return false;
    if (this.health.failures > 0) return !this.isProbing;
    return this.sending.size < this.deps.sink.limits.orderingKeys;
  }

  /** Never throws. */
  private async send(turn: Turn): Promise<void> {
    const { clock, ending } = this.deps;
    const begun = begin(this.health);
    const begunAt = clock.uptime();
    const [first] = turn.batch;
    const blame = first && this.unsaved.get(first);
    // Others may have passed it: it is not sent again.
    if (blame !== undefined) return this.reject(turn, begun, blame);
    try {
      await this.attempt(turn);
      if (!this.isClosed) this.arrived(turn, begun, begunAt);
    } catch (error) {
      if (ending.aborted) return;
      const isPrompt = clock.uptime() - begunAt < promptSeconds;
      await this.failed(turn, begun, asSinkError(error), isPrompt);
    }
  }

  /** @throws unknown */
  private async attempt({ queue, batch }: Turn): Promise<void> {
    const { sink, sendWithinMs = 600_000, pause, ending } = this.deps;
    const messages: Message[] = batch.map(({ message }) => message);
    const send = (signal: AbortSignal) => sink.send(messages, queue.key, signal);
    await sendWithin(sendWithinMs, send, { pause, closing: ending });
  }

  private arrived(turn: Turn, begun: number, begunAt: number): void {
    const { sink, clock, emit, onArrived } = this.deps;
    const isBack = this.health.failures > 0;
    worked(this.health, turn.queue, begun);
    this.reportRecovery();
    onArrived(turn.batch, isBack);
    this.settle(turn);
    const seconds = clock.uptime() - begunAt;
    emit({ type: 'sent', sink: sink.name, messages: turn.batch.length, seconds });
  }

  private async failed(
    turn: Turn,
    begun: number,
    failure: SinkError,
    isPrompt: boolean,
  ): Promise<void> {
    const { backlog, clock } = this.deps;
    const { queue, batch } = turn;
    const { reason } = failure;
    this.emitFailure(failure);
    if (reason === 'too-large') {
      // Whether the sink accepts others does not matter.
      return batch.length > 1
        ? backlog.free(turn, ...halvesOf(batch))
        : this.reject(turn, begun, failure);
    }
    const verdict = failed(this.health, queue, begun, failure, clock.uptime());
    // One of them may be to blame, and the others not.
    const isSplit = batch.length > 1 && (reason === 'refused' || queue.strikes > 0);
    const retries = isSplit ? halvesOf(batch) : [[...batch]];
    if (isSplit) queue.strikes = 0;
    else if (verdict === 'message') return this.reject(turn, begun, failure);
    else if (verdict === 'sink' && isPrompt && (await this.tryBehind(turn, failure))) return;
    if (verdict === 'nothing') return backlog.free(turn, ...retries);
    const isSink = verdict === 'sink';
    if (isSink) backlog.free(turn, ...retries);
    else backlog.rest(turn, ...retries);
    if (isSink) this.isResting = true;
    const failures = isSink ? this.health.failures : queue.failures;
    void this.deps.backOff(isSplit ? 1 : failures, failure).then(() => {
      if (isSink) this.isResting = false;
      else backlog.resume(queue);
      this.sendSoon();
    });
  }

  /** Makes the batch dead letters. */
  private async reject(turn: Turn, begun: number, failure: SinkError): Promise<void> {
    const error = await this.addDeadLetters(turn.batch, failure);
    if (this.isClosed) return;
    if (error !== undefined) return this.failed(turn, begun, error, false);
    released(this.health, turn.queue);
    this.reportRecovery();
    this.settle(turn);
  }

  /** Returns why they could not be written. */
  private async addDeadLetters(
    batch: readonly Waiting[],
    failure: SinkError,
  ): Promise<SinkError | undefined> {
    const { sink, clock, deadLetters, emit, onRejected } = this.deps;
    const { code, message: why } = failure;
    const at = new Date(clock.now()).toISOString();
    // The message before a refresh has all that a refresh has.
    const lost = batch.filter(({ message }) => message.kind !== 'refresh');
    try {
      const letters = lost.map(({ message }) => ({ at, from: sink.name, why, found: message }));
      await deadLetters.add(letters, Number.POSITIVE_INFINITY);
    } catch (error) {
      for (const waiting of batch) this.unsaved.set(waiting, failure);
      const text = `${why}; and the dead letter cannot be written: ${errorText(error)}`;
      return new SinkError('disk', 'DEAD_LETTERS', text);
    }
    this.deadLetters += lost.length;
    for (const { message } of lost) {
      emit({ type: 'dead-letter', sink: sink.name, why, code, id: message.id });
    }
    if (!this.isClosed) onRejected(batch);
    return undefined;
  }

  /**
   * Where each queue is blocked by a message of its own, no other message shows that the sink works. So, after several
   * failures, those behind the first one are tried at once. If one gets through, those before it are to blame, and none of
   * them is sent again, so that the order is kept.
   *
   * @returns whether one got through
   */
  private async tryBehind({ queue, batch }: Turn, failure: SinkError): Promise<boolean> {
    const { clock, backlog, stopping, ending } = this.deps;
    const isDue = queue.failures >= (failuresBefore[failure.reason] ?? Number.POSITIVE_INFINITY);
    if (batch.length > 1 || !isDue) return false;
    const passed = [...batch];
    while (passed.length <= mostBehind && !stopping.aborted) {
      const waiting = backlog.takeOne(queue);
      if (waiting === undefined) break;
      const turn = { queue, batch: [waiting] };
      const begun = begin(this.health);
      const begunAt = clock.uptime();
      try {
        await this.attempt(turn);
        const error = await this.addDeadLetters(passed, failure);
        if (this.isClosed) return true;
        if (error === undefined) backlog.remove(passed);
        else backlog.putBack(queue, passed);
        this.arrived(turn, begun, begunAt);
        return true;
      } catch (error) {
        const next = asSinkError(error);
        passed.push(waiting);
        if (ending.aborted) break;
        this.emitFailure(next);
        // The first failure proves something only about the moment in which it happened.
        if (next.reason !== failure.reason || clock.uptime() - begunAt >= promptSeconds) break;
      }
    }
    backlog.putBack(queue, passed.slice(1));
    return false;
  }

  private settle(turn: Turn): void {
    const { backlog, onProgress } = this.deps;
    backlog.remove(turn.batch);
    backlog.free(turn);
    onProgress();
    backlog.wake();
  }

  private emitFailure({ reason, code, message: why }: SinkError): void {
    const { sink, emit } = this.deps;
    emit({ type: 'send-failed', sink: sink.name, reason, code, why });
  }

  private reportRecovery(): void {
    const { sink, clock, emit } = this.deps;
    const seconds = recovered(this.health, clock.uptime());
    if (seconds !== undefined) emit({ type: 'sink-recovered', sink: sink.name, seconds });
  }
}

function halvesOf(batch: readonly Waiting[]): Waiting[][] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
