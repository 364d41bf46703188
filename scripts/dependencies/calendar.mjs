/** Reads docs/reference/calendar.yaml: what ends, and what a maintainer does again and again. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const Day = z.iso.date();
const Calendar = z.strictObject({
  ends: z.array(
    z.strictObject({
      what: z.string(),
      until: Day,
      source: z.url(),
      do: z.string(),
      pins: z.record(z.string(), z.string()),
    }),
  ),
  certificates: z.array(z.string()),
  tasks: z.array(
    z.strictObject({ what: z.string(), months: z.int().positive(), done: Day, do: z.string() }),
  ),
});

/**
 * @param {string} root of the repository
 * @returns {z.output<typeof Calendar>}
 */
export function readCalendar(root) {
  const text = readFileSync(join(root, 'docs/reference/calendar.yaml'), 'utf8');
  return Calendar.parse(parse(text));
}

/**
 * All entries with their days, earliest first.
 *
 * @param {string} root of the repository
 */
export function dueDays(root) {
  const { ends, certificates, tasks } = readCalendar(root);
  return [
    ...ends.map((each) => ({ ...each, day: each.until })),
    ...certificates.map((file) => {
      const day = new X509Certificate(readFileSync(join(root, file))).validToDate.toISOString();
      return { what: `certificate ${file}`, day: day.slice(0, 10), do: 'create a new one' };
    }),
    ...tasks.map((each) => ({ ...each, day: monthsAfter(each.done, each.months) })),
  ].sort((a, b) => (a.day < b.day ? -1 : 1));
}

/**
 * @param {string} day such as 2026-11-29
 * @param {number} months
 */
export function monthsAfter(day, months) {
  const date = new Date(day);
  const of = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() + months);
  // 31 January and a month is the last day of February.
  if (date.getUTCDate() !== of) date.setUTCDate(0);
  return date.toISOString().slice(0, 10);
}
