/**
 * When all devices are read: a cron expression in the time zone of the rack. node-cron says when a moment has come;
 * what passed meanwhile (the power was off, summer time skipped the hour) is found by looking back, and counts once.
 *
 * All is reckoned in the rack's local time, as the clock on its wall shows it: the minutes that summer time skips lie
 * between the last one looked at and now, and those that winter time brings twice are not looked at again.
 */
import { createHash } from 'node:crypto';
import { createTask, type ScheduledTask, schedule } from 'node-cron';

const minuteMs = 60_000;
/** A clock that goes back by more than the end of summer time was wrong before. */
const longestHour = 3 * 60 * minuteMs;
/** Who was off for longer is due whatever the expression says. */
const furthestBack = 32 * 24 * 60 * minuteMs;

export class Schedule {
  readonly expression: string;
  readonly timezone: string;
  private readonly matcher: ScheduledTask;
  private readonly localTime: Intl.DateTimeFormat;
  private ticking: ScheduledTask | undefined;

  constructor(expression: string, timezone: string) {
    this.expression = expression;
    this.timezone = timezone;
    this.matcher = createTask(expression, () => undefined, { timezone: 'Etc/UTC' });
    this.localTime = new Intl.DateTimeFormat('en', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  }

  /** The local minute of a moment, as milliseconds of a day whose minutes are all 60 s and none is missing. */
  local(time: number): number {
    const parts = new Map(
      this.localTime.formatToParts(time).map(({ type, value }) => [type, value] as const),
    );
    const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  }

  /**
   * Looks at the minutes since the last look.
   *
   * @param seen the local minute of the last look, as `seen` of its answer said; undefined: the first look ever
   * @returns whether the schedule wanted a run in between, and how far has been looked
   */
  look(seen: number | undefined, now: number): { isDue: boolean; seen: number } {
    const local = this.local(now);
    if (seen === undefined || local <= seen - longestHour) return { isDue: false, seen: local };
    if (local <= seen) return { isDue: false, seen };
    if (local - seen > furthestBack) return { isDue: true, seen: local };
    for (let minute = local; minute > seen; minute -= minuteMs) {
      if (this.matcher.match(new Date(minute))) return { isDue: true, seen: local };
    }
    return { isDue: false, seen: local };
  }

  /** The next moment by node-cron; undefined: never. */
  next(): Date | undefined {
    return this.ticking?.getNextRun() ?? undefined;
  }

  /** Calls `tick` when a moment has come. */
  start(tick: () => void): void {
    this.ticking = schedule(this.expression, tick, { timezone: this.timezone });
    // It is no reason for a process to live on.
    if ('unref' in this.ticking && typeof this.ticking.unref === 'function') this.ticking.unref();
  }

  async stop(): Promise<void> {
    await this.ticking?.destroy();
    await this.matcher.destroy();
  }
}

/** Where in the spread of a run a device has its place: always the same, in milliseconds. */
export function jitterOf(device: string, jitterSeconds: number): number {
  const place = createHash('sha256').update(device).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(place * jitterSeconds * 1000);
}
