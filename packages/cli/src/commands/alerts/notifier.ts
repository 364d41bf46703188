/** Tells a sink what changes: in order, again until it is there. */
import { type AlertMessage, type Sink, SinkError } from '@skolo/alerts';
import { errorText } from '@skolo/errors';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { within } from './within.ts';

/** Changes of racks are few; who is not there to hear so many of them will look at the racks instead. */
const mostWaiting = 10_000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/** Starts at once with what an earlier watch has left. */
export class Notifier {
  /** In order. */
  readonly waiting: AlertMessage[];
  private readonly sink: Sink;
  private readonly io: Pick<Io, 'err'>;
  private readonly ending = new AbortController();
  private told: () => void = () => {};
  private isRunning = false;
  private running: Promise<void> = Promise.resolve();
  private failing: string | undefined;

  constructor(sink: Sink, io: Pick<Io, 'err'>, left: readonly AlertMessage[]) {
    this.sink = sink;
    this.io = io;
    this.waiting = [...left];
    this.run();
  }

  /** Tells them in order, after those that wait. */
  tell(messages: readonly AlertMessage[]): void {
    this.waiting.push(...messages);
    const tooMany = this.waiting.length - mostWaiting;
    if (tooMany > 0) {
      this.waiting.splice(0, tooMany);
      complain(this.io, `${this.sink.name}: ${tooMany} changes are dropped: too many wait`);
    }
    this.run();
  }

  /** Called when one more is told, or never will be. */
  onTold(listener: () => void): void {
    this.told = listener;
  }

  /** Fulfilled when all is told, or after so long. */
  async flush(withinMs: number): Promise<void> {
    await within(this.running, withinMs, this.ending.signal);
  }

  async close(): Promise<void> {
    this.ending.abort();
    await this.running;
    const left = this.waiting.length;
    if (left > 0)
      complain(this.io, `${this.sink.name}: ${left} not told: ${this.failing ?? 'no time'}`);
    await this.sink.close();
  }

  private run(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.running = this.work();
  }

  private async work(): Promise<void> {
    const { signal } = this.ending;
    let pauseMs = firstPauseMs;
    for (let [next] = this.waiting; next && !signal.aborted; [next] = this.waiting) {
      if (await this.send(next)) {
        pauseMs = firstPauseMs;
        // Unless it was dropped meanwhile.
        if (this.waiting[0] === next) this.waiting.shift();
        this.told();
      } else {
        await within(new Promise(() => {}), pauseMs, signal).catch(() => undefined);
        pauseMs = Math.min(longestPauseMs, pauseMs * 2);
      }
    }
    // Not any later: what is told in between would wait for the next.
    this.isRunning = false;
  }

  /** Whether it is done with: told, or refused for good. */
  private async send(message: AlertMessage): Promise<boolean> {
    const { sink, io } = this;
    try {
      await sink.send([message], sink.orderingKeyOf(message), this.ending.signal);
      if (this.failing !== undefined) io.err(`${sink.name}: told again`);
      this.failing = undefined;
      return true;
    } catch (error) {
      if (this.ending.signal.aborted) return false;
      const why = errorText(error);
      const isFinal = error instanceof SinkError && error.reason === 'refused';
      const what = isFinal ? 'not taken' : 'not told yet, trying again';
      if (why !== this.failing || isFinal) complain(io, `${sink.name}: ${what}: ${why}`);
      this.failing = isFinal ? undefined : why;
      return isFinal;
    }
  }
}
