/** Times as an engineer reads them at a glance. */

const units = [
  { name: 's', seconds: 1, until: 120 },
  { name: 'min', seconds: 60, until: 2 * 3600 },
  { name: 'h', seconds: 3600, until: 48 * 3600 },
  { name: 'days', seconds: 86_400, until: Number.POSITIVE_INFINITY },
] as const;

/** `12 s`, `5 min`, `30 h`, `3 days`: never more than there is. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const unit = units.find(({ until }) => whole < until) ?? units[3];
  return `${Math.floor(whole / unit.seconds)} ${unit.name}`;
}

/**
 * `12 s ago`, `in 3 h`. A time that should be past and is not shows that two clocks differ, so it is not hidden.
 *
 * @param time and `now` in milliseconds since 1970
 */
export function relative(time: number, now: number): string {
  const seconds = (now - time) / 1000;
  // Two computers with good clocks differ by some milliseconds.
  if (seconds > -2) return `${duration(seconds)} ago`;
  return `in ${duration(-seconds)}`;
}

/** RFC 3339 in UTC, to the second. */
export function timestamp(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
