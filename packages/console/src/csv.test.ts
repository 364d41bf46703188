import { expect, it } from 'vitest';
import { csvOf } from '../pages/src/machines/csv.ts';

it('has a line for each row, with quotes doubled, and numbers as numbers', () => {
  const rows = [
    ['name', 'level'],
    ['a "b", c\nd', -3.5],
    [undefined, 0],
  ];
  expect(csvOf(rows)).toBe('"name","level"\r\n"a ""b"", c\nd",-3.5\r\n,0\r\n');
});

// https://owasp.org/www-community/attacks/CSV_Injection
it.each([
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '  =1',
  '\u00a0=1',
  '＝1',
  '＋1',
  '－1',
  '＠A1',
  '|calc',
])('makes %j text for a spreadsheet', (text) => {
  expect(csvOf([[text]])).toBe(`"'${text}"\r\n`);
});

it.each(['rpi-1', 'a=1', '3A9F', '2026-11-27T01:02:03Z', "'", ''])('leaves %j as it is', (text) => {
  expect(csvOf([[text]])).toBe(`"${text}"\r\n`);
});
