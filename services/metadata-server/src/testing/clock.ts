import type { Clock } from '@skolo/common';

/** A clock that the test moves. Starts at this computer's time. */
export class TestClock implements Clock {
  private wallMs = Date.now();
  private bootSeconds = 100_000;

  now(): number {
    return this.wallMs;
  }

  uptime(): number {
    return this.bootSeconds;
  }

  /** Advances the time. */
  pass(seconds: number): void {
    this.bootSeconds += seconds;
    this.wallMs += seconds * 1000;
  }

  /** Sets the wall clock. */
  set(wallMs: number): void {
    this.wallMs = wallMs;
  }
}
