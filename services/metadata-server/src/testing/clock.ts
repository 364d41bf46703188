import type { Clock } from '@skolo/common';

/** A clock that the test moves. Starts at the time of this computer. */
export class TestClock implements Clock {
  private wallMs = Date.now();
  private bootSeconds = 100_000;

  now(): number {
    return this.wallMs;
  }

  uptime(): number {
    return this.bootSeconds;
  }

  /** Time goes by. */
  pass(seconds: number): void {
    this.bootSeconds += seconds;
    this.wallMs += seconds * 1000;
  }

  /** Somebody sets the wall clock. */
  set(wallMs: number): void {
    this.wallMs = wallMs;
  }
}
