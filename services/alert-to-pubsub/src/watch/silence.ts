/**
 * Measures for how long nothing was received from Prometheus or Alertmanager. All times are seconds of uptime, by the clock that does
 * not jump; pauses of this service are no silence of theirs.
 */
import { type Clock, wallTime } from '@skolo/common';

/** From the previous process. Milliseconds since 1970. */
export interface Before {
  /** When it last received something. */
  lastHeard?: number | undefined;
  /** When that process last ran. */
  lastAlive?: number | undefined;
}

export class Silence {
  receivedAt: number | undefined;
  readonly startedAt: number;
  private readonly clock: Clock;
  /**
   * When silence starts to count. Time in which this service was down proves nothing. But a service that keeps restarting, and receives
   * nothing in between, must not look healthy forever.
   */
  private countsFrom: number;
  constructor(clock: Clock, { lastHeard, lastAlive }: Before = {}) {
    this.clock = clock;
    this.startedAt = clock.uptime();
    this.countsFrom = this.startedAt;
    if (lastHeard === undefined) return;
    this.receivedAt = this.uptimeOf(lastHeard);
    this.countsFrom -= Math.max(0, (lastAlive ?? lastHeard) - lastHeard) / 1000;
  }

  /** @param at milliseconds since 1970 */
  received(at: number): void {
    this.receivedAt = Math.max(this.uptimeOf(at), this.receivedAt ?? Number.NEGATIVE_INFINITY);
    this.countsFrom = Math.max(this.countsFrom, this.receivedAt);
  }

  isLongerThan(seconds: number): boolean {
    return this.clock.presence.ageOf(this.countsFrom, seconds) > seconds;
  }

  /** Something was received within this many seconds, even if the service was down in between. */
  isReceivedWithin(seconds: number): boolean {
    const { receivedAt } = this;
    return receivedAt !== undefined && this.clock.presence.ageOf(receivedAt, seconds) <= seconds;
  }

  /** Milliseconds since 1970, by the current wall clock. */
  get lastHeard(): number | undefined {
    return this.receivedAt === undefined
      ? undefined
      : Math.round(wallTime(this.clock, this.receivedAt));
  }

  /** Since when nothing was received, for people. */
  get since(): string {
    return timeText(this.clock, this.receivedAt ?? this.startedAt);
  }

  private uptimeOf(wall: number): number {
    return this.clock.uptime() - Math.max(0, this.clock.now() - wall) / 1000;
  }
}

/** A moment of uptime, for people. */
export function timeText(clock: Clock, uptime: number): string {
  return `${new Date(wallTime(clock, uptime)).toISOString().slice(0, 19)}Z`;
}
