/**
 * Sends messages of `skolo alerts watch` to a sink, in order for each alert, and retries at the pace of alert-to-pubsub; how many wait.
 */
import {
  type AlertMessage,
  type BackOff,
  type BackOffTimes,
  createBackOff,
  doubtTimes,
  mostDoubts,
  queueKey,
  type Sink,
  SinkError,
} from '@skolo/alerts';
import { count, errorText } from '@skolo/base';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { within } from './within.ts';

const mostWaiting = 10_000;

/** Starts with the messages left by an earlier watch. */
export class Notifier {
  /** In order. */
  readonly waiting: AlertMessage[];
  private readonly sink: Sink;
  private readonly io: Pick<Io, 'err'>;
  private readonly ending = new AbortController();
  private readonly backOff: BackOff;
  /** Messages that may have arrived, and how often. */
  private readonly doubtful = new Map<AlertMessage, { times: number; isResting: boolean }>();
  private dequeued: () => void = () => {};
  private isRunning = false;
  private running: Promise<void> = Promise.resolve();
  private failing: string | undefined;

  /** @param times pauses between attempts, instead of the usual ones */
  constructor(
    sink: Sink,
    io: Pick<Io, 'err'>,
    left: readonly AlertMessage[],
    times?: BackOffTimes,
  ) {
    this.sink = sink;
    this.backOff = createBackOff({ stopping: this.ending.signal, times });
    this.io = io;
    this.waiting = [...left];
    this.run();
  }

  /** Queues messages. */
  notify(messages: readonly AlertMessage[]): void {
    this.waiting.push(...messages);
    const tooMany = this.waiting.length - mostWaiting;
    if (tooMany > 0) {
      this.waiting.splice(0, tooMany);
      complain(
        this.io,
        `${this.sink.name}: the queue is full; dropped the oldest ${count(tooMany, 'message')}`,
      );
    }
    this.run();
  }

  /** Called after a message was sent or rejected. */
  onDequeued(listener: () => void): void {
    this.dequeued = listener;
  }

  /** Resolves when the queue is empty, or after `withinMs`. */
  async flush(withinMs: number): Promise<void> {
    await within(this.running, withinMs, this.ending.signal);
  }

  async close(): Promise<void> {
    this.ending.abort();
    await this.running;
    const left = this.waiting.length;
    if (left > 0)
      complain(
        this.io,
        `${this.sink.name}: ${count(left, 'message')} not sent: ${this.failing ?? 'no time left'}`,
      );
    await this.sink.close();
  }

  private run(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.running = this.work();
  }

  private async work(): Promise<void> {
    const { signal } = this.ending;
    let failures = 0;
    for (let next = this.next(); next && !signal.aborted; next = this.next()) {
      const error = await this.send(next);
      if (error === undefined) {
        failures = 0;
        this.dequeue(next);
      } else if (!signal.aborted) {
        failures += 1;
        if (error instanceof SinkError && error.mayHaveArrived) this.rest(next);
        await this.backOff(failures, error instanceof SinkError ? error : undefined);
      }
    }
    // Immediately: otherwise a message that is queued in the meantime would wait for the next one.
    this.isRunning = false;
  }

  /** The first message that does not rest, and before which none about its alert waits. */
  private next(): AlertMessage | undefined {
    for (const [message, { times }] of this.doubtful) {
      if (times >= mostDoubts && this.hasLater(message)) this.giveUp(message, times);
    }
    const keys = new Set<string>();
    return this.waiting.find((message) => {
      const key = queueKey(message);
      const isFirst = !keys.has(key);
      keys.add(key);
      return isFirst && !this.doubtful.get(message)?.isResting;
    });
  }

  private hasLater(message: AlertMessage): boolean {
    const key = queueKey(message);
    return this.waiting.some((later) => later !== message && queueKey(later) === key);
  }

  private giveUp(message: AlertMessage, times: number): void {
    const often = count(times, 'time');
    complain(this.io, `${this.sink.name}: a message may have arrived ${often}; not sent again`);
    this.dequeue(message);
  }

  private dequeue(message: AlertMessage): void {
    this.doubtful.delete(message);
    // Unless it was dropped in the meantime.
    const place = this.waiting.indexOf(message);
    if (place >= 0) this.waiting.splice(place, 1);
    this.dequeued();
  }

  /** It may have arrived: it rests, longer each time, and delays no other alert. */
  private rest(message: AlertMessage): void {
    const doubt = { times: (this.doubtful.get(message)?.times ?? 0) + 1, isResting: true };
    this.doubtful.set(message, doubt);
    void this.backOff(doubt.times, undefined, doubtTimes).then(() => {
      doubt.isResting = false;
      if (!this.ending.signal.aborted) this.run();
    });
  }

  /** Why the message stays in the queue; undefined: it was sent, or rejected for good. */
  private async send(message: AlertMessage): Promise<unknown> {
    const { sink, io } = this;
    try {
      await sink.send([message], sink.orderingKeyOf(message), this.ending.signal);
      if (this.failing !== undefined) io.err(`${sink.name} has recovered`);
      this.failing = undefined;
      return undefined;
    } catch (error) {
      if (this.ending.signal.aborted) return error;
      const why = errorText(error);
      const isFinal = error instanceof SinkError && error.reason === 'rejected';
      const what = isFinal ? 'rejected' : 'not sent yet, retrying';
      if (why !== this.failing || isFinal) complain(io, `${sink.name}: ${what}: ${why}`);
      this.failing = isFinal ? undefined : why;
      return isFinal ? undefined : error;
    }
  }
}
