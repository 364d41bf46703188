/** docs/reference/calendar.yaml names versions that are in use. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readCalendar } from '../../../../scripts/dependencies/calendar.mjs';
import { pageAt } from './page.ts';

it('finds each pin of the calendar where it is', () => {
  const pins = readCalendar(pageAt('')).ends.flatMap((each) => Object.entries(each.pins));

  const lost = pins.filter(([file, text]) => !readFileSync(pageAt(file), 'utf8').includes(text));

  expect(pins.length).toBeGreaterThan(5);
  expect(lost).toEqual([]);
});
