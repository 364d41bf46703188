/** Sends messages of `skolo alerts watch` to a sink, in order, and retries; how many wait. */
import { type AlertMessage, type Sink, SinkError } from '@skolo/alerts';
import { backOffMs, count, errorText, pause } from '@skolo/base';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { within } from './within.ts';

const mostWaiting = 10_000;
const pauses = { firstMs: 1000, maxMs: 60_000 };

/** Starts with the messages left by an earlier watch. */
export class Notifier {
  /** In order. */
  readonly waiting: AlertMessage[];
  private readonly sink: Sink;
  private readonly io: Pick<Io, 'err'>;
  private readonly ending = new AbortController();
  private dequeued: () => void = () => {};
  private isRunning = false;
  private running: Promise<void> = Promise.resolve();
  private failing: string | undefined;

  constructor(sink: Sink, io: Pick<Io, 'err'>, left: readonly AlertMessage[]) {
    this.sink = sink;
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
    for (let [next] = this.waiting; next && !signal.aborted; [next] = this.waiting) {
      if (await this.send(next)) {
        failures = 0;
        // Unless it was dropped in the meantime.
        if (this.waiting[0] === next) this.waiting.shift();
        this.dequeued();
      } else {
        failures += 1;
        await pause(backOffMs(failures, pauses), signal).catch(() => undefined);
      }
    }
    // Immediately: otherwise a message that is queued in the meantime would wait for the next one.
    this.isRunning = false;
  }

  /** Whether the message leaves the queue: it was sent, or rejected for good. */
  private async send(message: AlertMessage): Promise<boolean> {
    const { sink, io } = this;
    try {
      await sink.send([message], sink.orderingKeyOf(message), this.ending.signal);
      if (this.failing !== undefined) io.err(`${sink.name} has recovered`);
      this.failing = undefined;
      return true;
    } catch (error) {
      if (this.ending.signal.aborted) return false;
      const why = errorText(error);
      const isFinal = error instanceof SinkError && error.reason === 'rejected';
      const what = isFinal ? 'rejected' : 'not sent yet, retrying';
      if (why !== this.failing || isFinal) complain(io, `${sink.name}: ${what}: ${why}`);
      this.failing = isFinal ? undefined : why;
      return isFinal;
    }
  }
}
