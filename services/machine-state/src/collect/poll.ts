/** One question to one service, asked again and again. */
import { pause } from '@skolo/common';
import { errorText } from '@skolo/errors';

export interface PollDeps<T> {
  ask(signal: AbortSignal): Promise<T>;
  everyMs: number;
  /** It has another answer, or none. */
  onAnswer(): void;
}

/** One lost answer is no silence. */
const mostFailures = 2;

export class Poll<T> {
  private readonly deps: PollDeps<T>;
  private readonly stopping = new AbortController();
  private wake = new AbortController();
  private answer: T | undefined;
  private failures = 0;
  private failed: string | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(deps: PollDeps<T>) {
    this.deps = deps;
  }

  /** The last answer; undefined: there was none yet, or there is none any more. */
  get latest(): T | undefined {
    return this.answer;
  }

  /** Why the last request failed. */
  get why(): string | undefined {
    return this.failed;
  }

  start(): void {
    this.running = this.run();
  }

  /** Asks at once. */
  hurry(): void {
    this.wake.abort();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service stops'));
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.wake = new AbortController();
      await this.askOnce(signal);
      const either = AbortSignal.any([signal, this.wake.signal]);
      await pause(this.deps.everyMs, either).catch(() => undefined);
    }
  }

  private async askOnce(signal: AbortSignal): Promise<void> {
    const before = this.failed;
    try {
      this.answer = await this.deps.ask(signal);
      this.failures = 0;
      this.failed = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.failed = errorText(error);
      this.failures += 1;
      const isLost = this.failures < mostFailures && this.answer !== undefined;
      const isAsBefore = this.answer === undefined && this.failed === before;
      if (isLost || isAsBefore) return;
      this.answer = undefined;
    }
    this.deps.onAnswer();
  }
}
