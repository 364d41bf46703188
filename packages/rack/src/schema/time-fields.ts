/** Time zones and schedules. */

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
  const bad = cronFields.findIndex((field, i) => !isCronField(fields[i] ?? '', field));
  if (bad < 0) return fields.join(' ');
  const { name, min, max } = cronFields[bad] ?? cronFields[0];
  return {
    wrong: `"${fields[bad]}" is not valid for the ${name} (${min} to ${max}, *, lists, ranges and /steps)`,
  };
});

function isCronField(field: string, { min, max, words }: (typeof cronFields)[number]): boolean {
  const value = (part: string) => {
    const word = (words as readonly string[]).indexOf(part.toLowerCase());
    return word >= 0 ? word + min : /^\d{1,2}$/.test(part) ? Number(part) : Number.NaN;
  };
  return field.split(',').every((item) => {
    const [span = '', step, rest] = item.split('/');
    if (rest !== undefined || (step !== undefined && !/^[1-9]\d?$/.test(step))) return false;
    if (span === '*') return true;
    const [from = '', to = from, more] = span.split('-');
    return more === undefined && value(from) >= min && value(to) <= max && value(from) <= value(to);
  });
}
