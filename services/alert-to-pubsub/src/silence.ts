/** How long nothing was received from somebody. All moments are seconds of uptime, by the clock that does not jump. */
import type { Clock } from '@skolo/common';

/** From the process before this one. Milliseconds since 1970. */
export interface Before {
  /** When it last received something. */
  lastHeard?: number | undefined;
  /** When it last lived. */
  lastAlive?: number | undefined;
}

export class Silence {
  heardAt: number | undefined;
  readonly startedAt: number;
  private readonly clock: Clock;
  /**
   * From when on silence counts. Time in which this service was down proves nothing. But one that restarts again and
   * again, and receives nothing between, must not look well for ever.
   */
  private countsFrom: number;

  constructor(clock: Clock, { lastHeard, lastAlive }: Before = {}) {
    this.clock = clock;
    this.startedAt = clock.uptime();
    this.countsFrom = this.startedAt;
    if (lastHeard === undefined) return;
    this.heardAt = this.uptimeOf(lastHeard);
    this.countsFrom -= Math.max(0, (lastAlive ?? lastHeard) - lastHeard) / 1000;
  }

  /** @param at milliseconds since 1970 */
  heard(at: number): void {
    this.heardAt = Math.max(this.uptimeOf(at), this.heardAt ?? Number.NEGATIVE_INFINITY);
    this.countsFrom = Math.max(this.countsFrom, this.heardAt);
  }

  isLongerThan(seconds: number): boolean {
    return this.clock.uptime() - this.countsFrom > seconds;
  }

  /** Something was received within these seconds, also where the service was down in between. */
  isHeardWithin(seconds: number): boolean {
    return this.heardAt !== undefined && this.clock.uptime() - this.heardAt <= seconds;
  }

  /** Milliseconds since 1970, by the wall clock of now. */
  get lastHeard(): number | undefined {
    return this.heardAt === undefined ? undefined : wallOf(this.clock, this.heardAt);
  }

  /** Since when nothing was received, for people. */
  get since(): string {
    return timeText(this.clock, this.heardAt ?? this.startedAt);
  }

  private uptimeOf(wall: number): number {
    return this.clock.uptime() - Math.max(0, this.clock.now() - wall) / 1000;
  }
}

function wallOf(clock: Clock, uptime: number): number {
  return Math.round(clock.now() - (clock.uptime() - uptime) * 1000);
}

/** A moment of uptime, for people. */
export function timeText(clock: Clock, uptime: number): string {
  return `${new Date(wallOf(clock, uptime)).toISOString().slice(0, 19)}Z`;
}
