import type { Clock } from '@skolo/common/light';

/** How far the clock of this machine is off: measured now and then, and true in between also when it is set. */
export class ClockOffset {
  private readonly clock: Clock;
  private measured: { seconds: number; at: number; uptime: number } | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Its clock minus the jumphost's is so much now. */
  is(seconds: number): void {
    this.measured = { seconds, at: this.clock.now(), uptime: this.clock.uptime() };
  }

  /** Undefined: nobody has measured it. */
  get(): number | undefined {
    if (this.measured === undefined) return undefined;
    const { seconds, at, uptime } = this.measured;
    return seconds + (this.clock.now() - at) / 1000 - (this.clock.uptime() - uptime);
  }
}
