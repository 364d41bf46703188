import { pause } from '@skolo/base';

/** Work that runs again and again, one at a time. */
export abstract class Repeated {
  private readonly everyMs: number;
  private readonly stopping = new AbortController();
  private wake = new AbortController();
  private running: Promise<void> = Promise.resolve();

  /** @param everyMs between two runs */
  constructor(everyMs: number) {
    this.everyMs = everyMs;
  }

  /** Never throws. */
  protected abstract run(signal: AbortSignal): Promise<void>;

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
