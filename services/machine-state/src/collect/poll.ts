/** Periodic requests to one endpoint of one service, and when it counts as silent. */
import { errorText, type Repetition, repeat } from '@skolo/base';
import type { Presence } from '@skolo/common';

interface PollDeps<T> {
  ask(signal: AbortSignal): Promise<T>;
  everyMs: number;
  /** Time until the second attempt after a failure, if that is shorter. */
  retryMs: number;
  presence: Presence;
  /** The answer has changed, or is missing. */
  onAnswer(): void;
}

/** Failed requests until a service counts as silent: one lost answer does not. */
const mostFailures = 2;
/** A request that was interrupted by a pause of this service. */
const interrupted = 1 / 4;

export class Poll<T> {
  private readonly deps: PollDeps<T>;
  private answer: T | undefined;
  private failures = 0;
  private failed: string | undefined;
  private repetition: Repetition | undefined;

  constructor(deps: PollDeps<T>) {
    this.deps = deps;
  }

  /** Runs until the signal. */
  start(signal: AbortSignal): void {
    const { everyMs, retryMs } = this.deps;
    const pauseMs = () => (this.failures > 0 ? Math.min(everyMs, retryMs) : everyMs);
    this.repetition = repeat(pauseMs, () => this.run(signal), signal);
  }

  /** Requests immediately, or again. */
  hurry(): void {
    this.repetition?.hurry();
  }

  /** Resolves after the signal. */
  async ended(): Promise<void> {
    await this.repetition?.ended;
  }

  /** The last answer; undefined: there was none yet, or it has expired. */
  get latest(): T | undefined {
    return this.answer;
  }

  /** Whether the last answer is current, or enough requests have failed: otherwise nothing is known yet, such as after the start. */
  get isKnown(): boolean {
    return this.answer !== undefined || this.failures >= mostFailures;
  }

  /** Why the last request failed. */
  get why(): string | undefined {
    return this.failed;
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { ask, presence, onAnswer } = this.deps;
    const before = [this.failed, this.isKnown].join();
    const wasPaused = presence.watch();
    try {
      this.answer = await ask(signal);
      this.failures = 0;
      this.failed = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.failed = errorText(error);
      this.failures += wasPaused() ? interrupted : 1;
      const isAsBefore = this.answer === undefined && [this.failed, this.isKnown].join() === before;
      const isLost = this.answer !== undefined && this.failures < mostFailures;
      if (isLost || isAsBefore) return;
      this.answer = undefined;
    }
    onAnswer();
  }
}
