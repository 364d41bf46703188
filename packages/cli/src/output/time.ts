/** Texts for times and sizes. */

const units = [
  { name: 's', seconds: 1, until: 120 },
  { name: 'min', seconds: 60, until: 2 * 3600 },
  { name: 'h', seconds: 3600, until: 48 * 3600 },
  { name: 'days', seconds: 86_400, until: Number.POSITIVE_INFINITY },
] as const;

/** `12 s`, `5 min`, `30 h`, `3 days`; rounded down. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const unit = units.find(({ until }) => whole < until) ?? units[3];
  return `${Math.floor(whole / unit.seconds)} ${unit.name}`;
}

/** RFC 3339, or milliseconds since 1970. */
type Time = string | number | Date;

/** `12 s ago`, `in 3 h`. */
export function relative(time: Time, now: number): string {
  const seconds = (now - new Date(time).getTime()) / 1000;
  // The clocks of two computers differ slightly.
  if (seconds > -2) return `${duration(seconds)} ago`;
  return `in ${duration(-seconds)}`;
}

/** Like `relative`, or `never`. */
export function lastSeen(time: string | undefined, now: number): string {
  return time === undefined ? 'never' : relative(time, now);
}

/** Duration since a time. */
export function age(since: string, now: number): string {
  return duration((now - Date.parse(since)) / 1000);
}

/** RFC 3339 in the time zone of this computer, to the second, for people: `2026-11-20T13:00:00+01:00`. */
export function timestamp(time: Time): string {
  const date = new Date(time);
  const east = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + east * 60_000).toISOString().slice(0, 19);
  if (east === 0) return `${local}Z`;
  const [hours, minutes] = [Math.floor(Math.abs(east) / 60), Math.abs(east) % 60];
  return `${local}${east < 0 ? '-' : '+'}${twoDigits(hours)}:${twoDigits(minutes)}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

const sizeUnits = ['kB', 'MB', 'GB'] as const;

/** `812 B`, `12.3 kB`, `1.2 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let size = bytes / 1000;
  let unit = 0;
  // 999.95 would be shown as 1000.0.
  while (size >= 999.95 && unit < sizeUnits.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${size.toFixed(1)} ${sizeUnits[unit]}`;
}
