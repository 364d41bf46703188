/**
 * When all devices are read: a cron expression in the time zone of the rack. node-cron reports each moment. Moments that
 * passed meanwhile (the power was off, summer time skipped the hour) are found by looking back, and count once.
 *
 * All calculations use the local time of the rack: the minutes that summer time skips lie between the last minute looked at and
 * now, and minutes that winter time repeats are not looked at again.
 */
import { createHash } from 'node:crypto';
import { createTask, type ScheduledTask, schedule } from 'node-cron';

const minuteMs = 60_000;
/** A clock that goes back by more than the end of summer time was wrong before. */
const longestHour = 3 * 60 * minuteMs;
/** After a longer break a run is due with every expression. */
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
   * @param seen as the last look returned it; undefined: the first look ever
   * @returns whether a run was due in between, and the local minute of this look
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

  /** Calls `tick` when a moment has come. */
  start(tick: () => void): void {
    this.ticking = schedule(this.expression, tick, { timezone: this.timezone });
    // It must not keep the process alive.
    if ('unref' in this.ticking && typeof this.ticking.unref === 'function') this.ticking.unref();
  }

  async stop(): Promise<void> {
    await this.ticking?.destroy();
    await this.matcher.destroy();
  }
}

/** The delay of a device within a run, in milliseconds: always the same. */
export function jitterOf(device: string, jitterSeconds: number): number {
  const place = createHash('sha256').update(device).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(place * jitterSeconds * 1000);
}
