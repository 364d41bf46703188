import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { root } from '../node.mjs';
import { dueDays, monthsAfter } from './calendar.mjs';

/** @param {string[]} args */
async function outdated(...args) {
  const program = join(import.meta.dirname, 'outdated.mjs');
  const { code = 0, stdout } = await promisify(execFile)(process.execPath, [
    program,
    ...args,
  ]).catch((error) => error);
  return { code, text: stdout };
}

const [first = { day: '', what: '' }] = dueDays(root);

it('announces what is due on the day itself, and fails afterwards', async () => {
  const before = await outdated('--today', first.day, '--days', '0');
  const after = await outdated('--today', monthsAfter(first.day, 1));

  expect(before.text).toContain(`${first.day}: ${first.what}; `);
  expect(before.code).toBe(0);
  expect(after.text).toContain(`${first.day} OVERDUE: ${first.what}; `);
  expect(after.code).toBe(1);
});

it('names what is next if nothing is due', async () => {
  const { code, text } = await outdated('--today', '2026-11-29', '--days', '0');

  expect({ code, text }).toEqual({ code: 0, text: `next: ${first.day}: ${first.what}\n` });
});

it.each([
  ['2026-11-29', 3, '2027-02-28'],
  ['2026-01-31', 1, '2026-02-28'],
  ['2026-11-25', 12, '2027-11-25'],
])('%s and %i months is %s', (day, months, later) => {
  expect(monthsAfter(day, months)).toBe(later);
});
