/**
 * Generated pages contain no totals. Two changes that each add an entry, such as a table of a PDU, increase a total to the same number.
 * Git merges them without a conflict, and the page is wrong. A line that lists all names is a conflict, which people see.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesOf, pageAt } from './page.ts';

const wholePage = /^<!--\s*(Made|Generated) by /;
const section = /<!-- generated: .*?<!-- \/generated -->/gs;
/** Numbers of a run on some day, which later entries do not change. */
const measurements = 'docs/reference/measurements.md';

const number = /(?:\d[\d,]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)/.source;
/** What contributions add. */
const entries =
  /(?:alert )?(?:commands|files|images|metrics|models|packages|pages|programs|receivers|recordings|routes|rules|services|settings|simulators|sinks|tables|templates|tests)/
    .source;
const total = new RegExp(
  `\\bother ${number}\\b|\\b${number} (?:other |more )?\\[?${entries}\\b|\\b\\d+ of (?:all )?\\d+\\b|\\bin \\d+ racks?\\b`,
  'g',
);

function totalsIn(text: string): string[] {
  return text.match(total) ?? [];
}

it('generated pages contain no totals of entries', () => {
  const pages = filesOf()
    .filter((file) => file.endsWith('.md') && file !== measurements)
    .flatMap((file) => {
      const text = readFileSync(pageAt(file), 'utf8');
      const parts = wholePage.test(text) ? [text] : (text.match(section) ?? []);
      return parts.map((part) => ({ file, part }));
    });

  expect(pages.length).toBeGreaterThan(8);
  expect(
    pages.flatMap(({ file, part }) => totalsIn(part).map((each) => `${file}: ${each}`)),
  ).toEqual([]);
});

describe('totalsIn', () => {
  it.each([
    ['the other 66 [models](docs/reference/rack-yaml.md#models)', 'other 66'],
    ['27 models are `recorded`', '27 models'],
    ['The other models (65 of 66) are `recorded`', '65 of 66'],
    ['upgrade and downgrade of the five services', 'five services'],
    ['read in 2 racks (firmware 1.9.3)', 'in 2 racks'],
  ])('finds the total of "%s"', (text, expected) => {
    expect(totalsIn(text)).toEqual([expected]);
  });

  it.each(['all other [models](page.md)', 'only its quota of 200 alerts', 'stops after 20 s'])(
    'accepts "%s"',
    (text) => {
      expect(totalsIn(text)).toEqual([]);
    },
  );
});
