/** docs/hostile-machine.md names tests that exist. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../../../', import.meta.url);
const page = readFileSync(new URL('docs/hostile-machine.md', root), 'utf8');
const rows = [...page.matchAll(/\| `(?<file>[^`]+)` > `(?<name>[^`]+)` \|$/gm)].map(
  ({ groups }) => ({
    file: groups?.file ?? '',
    name: groups?.name ?? '',
  }),
);
/** A file is named in full once, and by its last part afterwards. */
const files = new Map(rows.map(({ file }) => [file.split('/').at(-1), file] as const).reverse());

it.each(rows)('$file > $name', ({ file, name }) => {
  const path = file.includes('/') ? file : (files.get(file) ?? file);

  expect(readFileSync(new URL(path, root), 'utf8')).toContain(name);
});

it('has a test in each row', () => {
  // Without tables of limits, which have two columns.
  const lines = page
    .split('\n')
    .filter((line) => /^\| (?!-|it tries|they try)(?:[^|]+\|){3}$/.test(line));

  expect(rows.length).toBe(lines.length);
});
