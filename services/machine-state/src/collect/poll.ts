/** Periodic requests to one endpoint of one service, and when it counts as silent. */
import { errorText, type Repetition, repeat } from '@skolo/base';

interface PollDeps<T> {
  ask(signal: AbortSignal): Promise<T>;
  everyMs: number;
  /** The answer has changed, or is missing. */
  onAnswer(): void;
}

/** Failed requests until a service counts as silent: one lost answer does not. */
const mostFailures = 2;

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
    this.repetition = repeat(this.deps.everyMs, () => this.run(signal), signal);
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

  /** Why the last request failed. */
  get why(): string | undefined {
    return this.failed;
  }

  private async run(signal: AbortSignal): Promise<void> {
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
