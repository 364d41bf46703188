/** Times as written by Prometheus, Alertmanager and people: RFC 3339, any offset, any number of fractional digits. */

/** Go's zero time, the first moment of the year 1 in any offset, means that no time is set. */
const zeroUntil = Date.parse('0001-01-03T00:00:00Z');
const endOfYears = Date.parse('+010000-01-01T00:00:00Z');

/** As almost all senders write it. `Date.parse` reads each of these days correctly; the other expression takes ten times as long. */
const common =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$/;
const form =
  /^(?<date>\d{4}-\d\d-(?<day>\d\d))t(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.(?<fraction>\d+))?(?:z|(?<sign>[+-])(?<hours>\d\d):?(?<minutes>\d\d))$/i;

/** Milliseconds since the epoch, truncated; undefined: unset; a string: what is wrong. */
export function readTime(value: unknown): number | undefined | string {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return 'is not a string';
  const ms = parseTime(value);
  if (ms === undefined) return 'is not an RFC 3339 time, such as 2026-11-20T07:30:00.000Z';
  if (ms < zeroUntil) return undefined;
  return ms < endOfYears ? ms : 'is later than the year 9999';
}

/** Not by `Date.parse` alone, which accepts 31 February, and much that is not a time. */
function parseTime(text: string): number | undefined {
  if (common.test(text)) return Date.parse(text);
  const found = form.exec(text)?.groups;
  if (found === undefined) return undefined;
  const { date, day, hour, minute, second, sign, hours = 0, minutes = 0, fraction = '' } = found;
  const midnight = new Date(`${date}T00:00:00Z`);
  // 31 February would be 3 March.
  const isDay = midnight.getUTCDate() === Number(day);
  const isInDay = Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60;
  if (!isDay || !isInDay || Number(hours) >= 24 || Number(minutes) >= 60) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  const seconds = (Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second);
  return midnight.getTime() + seconds * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
}
