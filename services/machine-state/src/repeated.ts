import { pause } from '@skolo/common';

/** A task that runs again and again, one at a time. */
export class Repeated {
  private readonly run: (signal: AbortSignal) => Promise<void>;
  private readonly everyMs: number;
  private readonly stopping = new AbortController();
  private wake = new AbortController();
  private running: Promise<void> = Promise.resolve();

  /** @param run never throws @param everyMs between two runs */
  constructor(run: (signal: AbortSignal) => Promise<void>, everyMs: number) {
    this.run = run;
    this.everyMs = everyMs;
  }

  start(): void {
    this.running = this.repeat();
  }

  /** Runs it at once, or again when it runs. */
  hurry(): void {
    this.wake.abort();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service stops'));
    await this.running;
  }

  private async repeat(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.wake = new AbortController();
      await this.run(signal);
      const either = AbortSignal.any([signal, this.wake.signal]);
      await pause(this.everyMs, either).catch(() => undefined);
    }
  }
}
