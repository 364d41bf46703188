/**
 * Sends the backlog to one sink: in order for each ordering key, several keys at a time, each batch until it has arrived. A message becomes
 * a dead letter only if the sink accepts others and rejects this one: blame.ts decides.
 *
 * Sends run in parallel with the delivery loop; their results wait until the loop takes them, so that state changes only in the loop.
 */
import { type Message, type Sink, SinkError, type SinkReason } from '@skolo/alerts';
import { errorText } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import { asSinkError, type BackOff, type Pause, sendWithin } from './attempts.ts';
import type { Backlog, Queue, Turn, Waiting } from './backlog.ts';
import {
  begin,
  failed,
  recovered,
  released,
  type SinkHealth,
  type Verdict,
  worked,
} from './blame.ts';
import type { SetAside } from './set-aside.ts';

interface SenderDeps {
  sink: Sink;
  backlog: Backlog;
  health: SinkHealth;
  setAside: SetAside;
  clock: Clock;
  emit: EmitAlertEvent;
  pause: Pause;
  backOff: BackOff;
  sendWithinMs: number;
  /** No new sends begin. */
  stopping: AbortSignal;
  /** Sends in flight end. */
  ending: AbortSignal;
  /** Wakes the loop, which takes the results. */
  wake(): void;
}

/** The result of a batch. `isBack`: the sink had failed before. */
export interface Outcome {
  batch: readonly Waiting[];
  type: 'arrived' | 'rejected';
  isBack: boolean;
}

interface Sent {
  error: SinkError | undefined;
  seconds: number;
}

/** A key's first message, and others that failed like it, while those after them are tried. */
interface Behind {
  turn: Turn;
  passed: Waiting[];
  failure: SinkError;
}

/** After a longer time the sink may have recovered. */
const promptSeconds = 1;
/** Failures of a key at a sink that answers, until the messages after its first one are tried, and their number. */
const failuresBefore: Partial<Record<SinkReason, number>> = {
  rejected: 3,
  unavailable: 8,
  permission: 8,
  topic: 8,
};
const mostBehind = 8;

export class Sender {
  private readonly deps: SenderDeps;
  private readonly underWay = new Set<Promise<void>>();
  private results: (() => void)[] = [];
  private outcomes: Outcome[] = [];
  /** Rejected messages that are not yet in the dead letters. */
  private readonly unsaved = new WeakMap<Waiting, SinkError>();
  /** The key that is tried while the sink is down. */
  private probing: Queue | undefined;
  private isResting = false;

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

  /** Takes the available results, and returns what happened to the messages. */
  takeResults(): Outcome[] {
    for (const take of this.results.splice(0)) take();
    return this.outcomes.splice(0);
  }

  /** Sends as much as the sink accepts at once. */
  send(): void {
    const { sink, backlog, health } = this.deps;
    while (this.maySend()) {
      const turn = backlog.take(sink.limits.messages);
      if (turn === undefined) return;
      if (health.failures > 0) this.probing = turn.queue;
      const [first] = turn.batch;
      const blame = first && this.unsaved.get(first);
      // Others may have overtaken it: it is not sent again.
      if (blame === undefined) this.attempt(turn);
      else this.reject(turn, begin(health), blame);
    }
  }

  /** Forgets failures of queues whose messages were dropped. */
  forgetDropped(): void {
    const { failing } = this.deps.health;
    for (const queue of [...failing.keys()]) if (queue.state === 'idle') failing.delete(queue);
    this.reportRecovery();
  }

  /** While the sink is down, one key at a time is tried. */
  private maySend(): boolean {
    const { sink, backlog, health, stopping } = this.deps;
    if (stopping.aborted || this.isResting) return false;
    if (health.failures > 0) return this.probing?.state !== 'busy';
    this.probing = undefined;
    return backlog.busy < sink.limits.orderingKeys;
  }

  private attempt(turn: Turn, behind?: Behind): void {
    const begun = begin(this.deps.health);
    this.start(this.sendBatch(turn), (sent) => {
      if (sent.error !== undefined && this.deps.ending.aborted) return;
      if (behind !== undefined) this.triedBehind(behind, turn, begun, sent);
      else if (sent.error === undefined) this.arrived(turn, begun);
      else this.failed(turn, begun, sent.error, sent.seconds < promptSeconds);
    });
  }

  /** Never throws. */
  private async sendBatch({ queue, batch }: Turn): Promise<Sent> {
    const { sink, clock, sendWithinMs, pause, ending } = this.deps;
    const begunAt = clock.uptime();
    const messages: Message[] = batch.map(({ message }) => message);
    const send = (signal: AbortSignal) => sink.send(messages, queue.key, signal);
    let error: SinkError | undefined;
    try {
      await sendWithin(sendWithinMs, send, { pause, closing: ending });
    } catch (thrown) {
      error = asSinkError(thrown);
    }
    return { error, seconds: clock.uptime() - begunAt };
  }

  private arrived(turn: Turn, begun: number): void {
    const { sink, emit, health } = this.deps;
    const { batch } = turn;
    const isBack = health.failures > 0;
    worked(health, turn.queue, begun);
    this.reportRecovery();
    this.settle(turn, { batch, type: 'arrived', isBack });
    emit({ type: 'sent', sink: sink.name, messages: batch.length });
  }

  private failed(turn: Turn, begun: number, failure: SinkError, isPrompt: boolean): void {
    const { backlog, clock, health } = this.deps;
    const { queue, batch } = turn;
    const { reason } = failure;
    this.emitFailure(failure);
    if (reason === 'too-large') {
      // Whether the sink accepts others does not matter.
      if (batch.length > 1) backlog.free(turn, ...halvesOf(batch));
      else this.reject(turn, begun, failure);
      return;
    }
    const verdict = failed(health, queue, begun, failure, clock.uptime());
    // One of them may be to blame, but not the others.
    if (batch.length > 1 && (reason === 'rejected' || queue.strikes > 0)) {
      queue.strikes = 0;
      this.rest(turn, halvesOf(batch), verdict, failure);
      return;
    }
    if (verdict === 'message') {
      this.reject(turn, begun, failure);
      return;
    }
    const isDue = queue.failures >= (failuresBefore[reason] ?? Number.POSITIVE_INFINITY);
    const mayTry = verdict === 'sink' && isPrompt && isDue && batch.length === 1;
    if (mayTry && this.tryBehind({ turn, passed: [...batch], failure })) return;
    this.rest(turn, [[...batch]], verdict, failure);
  }

  /** Sends it again later: the sink backs off, or only this key. */
  private rest(turn: Turn, retries: Waiting[][], verdict: Verdict, failure: SinkError): void {
    const { backlog, health, backOff } = this.deps;
    const { queue } = turn;
    if (verdict === 'queue') backlog.rest(turn, ...retries);
    else backlog.free(turn, ...retries);
    if (verdict === 'nothing') return;
    const isSink = verdict === 'sink';
    this.isResting ||= isSink;
    const failures = isSink ? health.failures : queue.failures;
    void backOff(retries.length > 1 ? 1 : failures, failure).then(() =>
      this.put(() => {
        if (isSink) this.isResting = false;
        else backlog.resume(queue);
      }),
    );
  }

  /** Makes the messages of a batch dead letters. */
  private reject(turn: Turn, begun: number, failure: SinkError): void {
    const { batch, queue } = turn;
    this.start(this.addDeadLetters(batch, failure), (error) => {
      if (error !== undefined) return this.failed(turn, begun, error, false);
      released(this.deps.health, queue);
      this.reportRecovery();
      this.settle(turn, { batch, type: 'rejected', isBack: false });
    });
  }

  /** Returns why they could not be written. */
  private async addDeadLetters(
    batch: readonly Waiting[],
    failure: SinkError,
  ): Promise<SinkError | undefined> {
    // The message before a refresh contains everything that the refresh contains.
    const lost = batch.filter(({ message }) => message.kind !== 'refresh');
    const { code, message: why } = failure;
    try {
      const rejected = lost.map(({ message }) => ({ found: message, id: message.id }));
      await this.deps.setAside.add(rejected, { why, code }, Number.POSITIVE_INFINITY);
      return undefined;
    } catch (error) {
      for (const waiting of batch) this.unsaved.set(waiting, failure);
      const text = `${why}; the dead letter could not be written: ${errorText(error)}`;
      return new SinkError('disk', 'DEAD_LETTERS', text);
    }
  }

  /**
   * If each queue is blocked by its own message, no other message shows that the sink works. So after several failures, the messages after
   * the first one are tried immediately. If one arrives, those before it are to blame, and none of them is sent again, so that the order is
   * kept.
   *
   * @returns whether there is one to try
   */
  private tryBehind(behind: Behind): boolean {
    const { backlog, stopping } = this.deps;
    const { queue } = behind.turn;
    if (behind.passed.length > mostBehind || stopping.aborted) return false;
    const waiting = backlog.takeOne(queue);
    if (waiting === undefined) return false;
    this.attempt({ queue, batch: [waiting] }, behind);
    return true;
  }

  private triedBehind(behind: Behind, turn: Turn, begun: number, { error, seconds }: Sent): void {
    const { backlog } = this.deps;
    const { passed, failure } = behind;
    const { queue, batch } = turn;
    if (error === undefined) {
      this.start(this.addDeadLetters(passed, failure), (unsaved) => {
        if (unsaved === undefined) {
          backlog.remove(passed);
          this.outcomes.push({ batch: passed, type: 'rejected', isBack: false });
        } else backlog.putBack(queue, passed);
        this.arrived(turn, begun);
      });
      return;
    }
    passed.push(...batch);
    this.emitFailure(error);
    // The first failure only proves something about the moment when it happened.
    const isSame = error.reason === failure.reason && seconds < promptSeconds;
    if (isSame && this.tryBehind(behind)) return;
    backlog.putBack(queue, passed.slice(1));
    this.rest(behind.turn, [[...behind.turn.batch]], 'sink', failure);
  }

  private settle(turn: Turn, outcome: Outcome): void {
    const { backlog } = this.deps;
    backlog.remove(turn.batch);
    backlog.free(turn);
    this.outcomes.push(outcome);
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

  private emitFailure({ reason, code, message: why }: SinkError): void {
    const { sink, emit } = this.deps;
    emit({ type: 'send-failed', sink: sink.name, reason, code, why });
  }

  private reportRecovery(): void {
    const { sink, clock, emit, health } = this.deps;
    const seconds = recovered(health, clock.uptime());
    if (seconds !== undefined) emit({ type: 'sink-recovered', sink: sink.name, seconds });
  }
}

function halvesOf(batch: readonly Waiting[]): Waiting[][] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
