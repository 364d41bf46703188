/** Times as Prometheus, Alertmanager and people write them: RFC 3339, any offset, any number of digits behind the second. */

const dayMs = 86_400_000;
/** Go's zero time is the first moment of the year 1, in whatever offset; it means that there is none. */
const zeroUntil = daysSinceEpoch(1, 1, 3) * dayMs;
const endOfYears = daysSinceEpoch(10_000, 1, 1) * dayMs;

/** Milliseconds since the epoch, what is finer is cut off; undefined: unset; a string: what is wrong. */
export function readTime(value: unknown): number | undefined | string {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return 'is not a string';
  const ms = parseTime(value);
  if (ms === undefined) return 'is not a time of RFC 3339, such as 2026-11-20T07:30:00.000Z';
  if (ms < zeroUntil) return undefined;
  return ms < endOfYears ? ms : 'is later than the year 9999';
}

/** By hand, since `Date.parse` takes 31 February, and much that is no time at all. */
function parseTime(text: string): number | undefined {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const between = text[4] === '-' && text[7] === '-' && text[13] === ':' && text[16] === ':';
  if (!between || (text[10] !== 'T' && text[10] !== 't')) return undefined;
  const inDay = hour < 24 && minute < 60 && second <= 60;
  if (!inDay || !(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) {
    return undefined;
  }
  let at = 19;
  let milliseconds = 0;
  if (text[at] === '.') {
    at += 1;
    let weight = 100;
    for (; isDigit(text.charCodeAt(at)); at += 1) {
      milliseconds += weight * (text.charCodeAt(at) - 48);
      weight = weight > 1 ? weight / 10 : 0;
    }
    if (at === 20) return undefined;
  }
  const offset = readOffset(text, at);
  const seconds = (hour * 60 + minute - offset) * 60 + second;
  const ms = daysSinceEpoch(year, month, day) * dayMs + seconds * 1000 + milliseconds;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Minutes; NaN: none, or something behind it. */
function readOffset(text: string, at: number): number {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return at + 1 === text.length ? 0 : Number.NaN;
  if (sign !== '+' && sign !== '-') return Number.NaN;
  const minutesAt = text[at + 3] === ':' ? at + 4 : at + 3;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, minutesAt, 2);
  if (!(hours < 24 && minutes < 60) || minutesAt + 2 !== text.length) return Number.NaN;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** NaN where there are others than digits. */
function digits(text: string, at: number, count: number): number {
  let number = 0;
  for (let index = at; index < at + count; index += 1) {
    const code = text.charCodeAt(index);
    number = isDigit(code) ? number * 10 + code - 48 : Number.NaN;
  }
  return number;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Of a day in the Gregorian calendar, also of the years before 100, which `Date.UTC` takes for the 20th century. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  // Years that begin in March have their leap day at the end.
  const y = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + dayOfYear - 719_468;
}
