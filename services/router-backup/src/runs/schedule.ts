/**
 * Decides when the scheduled backup of all equipment is due, or was missed: a cron expression in the rack's time zone. node-cron starts each
 * run at its moment. Every minute, the planner also looks for older moments, which node-cron missed (the power was off, the clock was set,
 * summer time skipped the hour). They count once.
 *
 * All calculations of {@link Schedule.dueSince} use the rack's local time: the minutes that summer time skips are between the last checked
 * minute and now, and minutes that winter time repeats are not checked again.
 */
import { sha256Bytes } from '@skolo/base';
import type { Logger } from '@skolo/common';
import { createTask, type ScheduledTask, schedule } from 'node-cron';

const minuteMs = 60_000;
/** A clock that goes back by more than the end of summer time was wrong before. */
const longestHour = 3 * 60 * minuteMs;
/** How late a busy computer may start a run that still counts as punctual. */
const latestMs = 60_000;
/** After a longer break, a run is due with every expression. */
const furthestBack = 32 * 24 * 60 * minuteMs;

export class Schedule {
  readonly expression: string;
  readonly timezone: string;
  private readonly matcher: ScheduledTask;
  private readonly localTime: Intl.DateTimeFormat;

  constructor(expression: string, timezone: string) {
    this.expression = expression;
    this.timezone = timezone;
    this.matcher = createTask(expression, () => undefined, { timezone: 'Etc/UTC' });
    // It never runs, and still matches. node-cron would keep it as long as the process lives.
    void this.matcher.destroy();
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

  /** Calls `run` at each moment until the task is destroyed. */
  start(run: () => Promise<void>, logger: Logger): ScheduledTask {
    const { expression, timezone } = this;
    // Its warnings are about moments that `dueSince` finds.
    const options = { timezone, name: 'router-backup', logger, suppressMissedWarning: true };
    return schedule(expression, run, { ...options, missedExecutionTolerance: latestMs });
  }

  /** The local minute of a moment, as milliseconds of a day whose minutes all have 60 s and without gaps. */
  local(time: number): number {
    const parts = new Map(
      this.localTime.formatToParts(time).map(({ type, value }) => [type, value] as const),
    );
    const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  }

  /**
   * Checks the minutes since the last check, so that each counts once.
   *
   * @param seen the value returned by the last check; undefined: the first check ever
   * @param until the last minute to check
   * @returns whether a run was due in between, and the last local minute that was checked
   */
  dueSince(seen: number | undefined, until: number): { isDue: boolean; seen: number } {
    const local = this.local(until);
    if (seen === undefined || local <= seen - longestHour) return { isDue: false, seen: local };
    if (local <= seen) return { isDue: false, seen };
    if (local - seen > furthestBack) return { isDue: true, seen: local };
    for (let minute = local; minute > seen; minute -= minuteMs) {
      if (this.matcher.match(new Date(minute))) return { isDue: true, seen: local };
    }
    return { isDue: false, seen: local };
  }
}

/** A device's delay within a run, in milliseconds: constant per device. */
export function jitterOf(device: string, jitterSeconds: number): number {
  const place = sha256Bytes(device).readUInt32BE() / 2 ** 32;
  return Math.floor(place * jitterSeconds * 1000);
}
