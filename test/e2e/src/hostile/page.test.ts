/** docs/operate/hostile-machine.md names tests that exist. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../../../', import.meta.url);
const page = readFileSync(new URL('docs/operate/hostile-machine.md', root), 'utf8');
const test = /`(?<file>[^`]+)` > `(?<name>[^`]+)`/;
/** Of three columns: tables of limits have two. */
const lines = page
  .split('\n')
  .filter((line) => /^\| (?!-|it tries|they try)(?:[^|]+\|){3}$/.test(line));
const rows = lines
  .flatMap((line) => [...line.matchAll(new RegExp(test, 'g'))])
  .map(({ groups }) => ({ file: groups?.file ?? '', name: groups?.name ?? '' }));
/** A file is named in full once, and by its last part afterwards. */
const files = new Map(rows.map(({ file }) => [file.split('/').at(-1), file] as const).reverse());

it.each(rows)('$file > $name', ({ file, name }) => {
  const path = file.includes('/') ? file : (files.get(file) ?? file);

  expect(readFileSync(new URL(path, root), 'utf8')).toContain(name);
});

it('has a test in each row', () => {
  expect(lines.length).toBeGreaterThan(50);
  expect(lines.filter((line) => !test.test(line))).toEqual([]);
});
