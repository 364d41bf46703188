/** Fields for time zones and schedules (cron). */

import { nearest } from '../issues/suggest.ts';
import { canonical } from './fields.ts';

export const timezone = canonical('a time zone', 'America/New_York', (input) => {
  const zones = Intl.supportedValuesOf('timeZone');
  // The list lacks aliases. Constructing a format finds them, but takes ten times as long.
  if (input === 'UTC' || zones.includes(input) || isAlias(input)) return input;
  const city = `/${input.toLowerCase()}`;
  const guess = zones.find((zone) => zone.toLowerCase().endsWith(city)) ?? nearest(input, zones);
  return guess === undefined
    ? undefined
    : { wrong: `"${input}" is not a time zone; did you mean "${guess}"?` };
});

function isAlias(zone: string): boolean {
  try {
    return (
      /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined
    );
  } catch {
    return false;
  }
}

const cronFields = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of month', min: 1, max: 31, words: [] },
  {
    name: 'month',
    min: 1,
    max: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', min: 0, max: 7, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
] as const;

/** Five fields of cron: minute, hour, day of month, month, day of week. */
export const cron = canonical('a cron schedule', '15 3 * * *', (input) => {
  const fields = input.trim().split(/\s+/);
  if (fields.length !== 5) {
    return {
      wrong: `"${input}" has ${fields.length} fields; a schedule has five (minute, hour, day of month, month, day of week)`,
    };
  }
  const values = cronFields.map((field, i) => valuesOf(fields[i] ?? '', field));
  const bad = values.indexOf(undefined);
  const [, , days = [], months = []] = values;
  if (bad < 0 && !months.some((month) => days.some((day) => day <= longest(month)))) {
    return { wrong: `"${fields[2]}" is not a day of the month "${fields[3]}"` };
  }
  if (bad < 0) return fields.join(' ');
  const { name, min, max } = cronFields[bad] ?? cronFields[0];
  return {
    wrong: `"${fields[bad]}" is not valid for the ${name} (${min} to ${max}, *, lists, ranges and /steps)`,
  };
});

/** Number of days, in a leap year. */
function longest(month: number): number {
  return new Date(Date.UTC(2028, month, 0)).getUTCDate();
}

/** Undefined: not valid. */
function valuesOf(
  field: string,
  { min, max, words }: (typeof cronFields)[number],
): number[] | undefined {
  const value = (part: string) => {
    const word = (words as readonly string[]).indexOf(part.toLowerCase());
    return word >= 0 ? word + min : /^\d{1,2}$/.test(part) ? Number(part) : Number.NaN;
  };
  const values: number[] = [];
  for (const item of field.split(',')) {
    const [span = '', step = '1', rest] = item.split('/');
    const [first = '', last = first, more] = span === '*' ? [`${min}`, `${max}`] : span.split('-');
    const [from, to] = [value(first), value(last)];
    const isRange = more === undefined && from >= min && to <= max && from <= to;
    if (rest !== undefined || !isRange || !/^[1-9]\d?$/.test(step)) return undefined;
    for (let each = from; each <= to; each += Number(step)) values.push(each);
  }
  return values;
}
