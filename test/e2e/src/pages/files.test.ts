/** docs/reference/files.md says what each source file does, from its comment. `npm run generate` writes it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { filesOf, pageAt } from './page.ts';

const sources = filesOf()
  .filter((file) =>
    /^((packages|services)\/.*\/(src|python)|scripts)\/.*\.(tsx?|mjs|sh|pl|py)$/.test(file),
  )
  .filter((file) => !/\.test\.|\/(testing|testdata|bench)\/|\/proof\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(pageAt(file), 'utf8').replace(/^#!.*\n/, '') }));
const commentInside = /^ +\/\*\*[\s\S]*?\*\/\n/gm;

const comment = /^\/\*\*(?<comment>(?:(?!\*\/)[\s\S])*)\*\/\n/.source;
const ofFile = [
  new RegExp(comment),
  new RegExp(`${comment}export `, 'm'),
  // Of a shell script, and in Perl.
  /^(?<comment>(?:#.*\n)+)/,
  /^"""(?<comment>[\s\S]*?)"""\n/,
];
/** Numbers, and lists and tables of numbers: how long, how many. */
const value = /(?![^;]*[a-z]\()(?<value>[\w\s.,:*+/<(){}[\]'-]*\b\d[\w\s.,:*+/<(){}[\]'-]*);$/
  .source;
const ofNumbers = new RegExp(
  `(?:${comment})?^(?:export )?const (?<name>[a-z]\\w*)(?:: .+)? = ${value}`,
  'gm',
);
const unit = /^([gm]i|mebi|a?day|week|hour|minute|second)(b|byte|ms|s|seconds)?$/i;

it('docs/reference/files.md is current', async () => {
  const parts = Map.groupBy(sources, ({ file }) =>
    file.replace(/\/(src|python|pages\/src)\/.*|^(scripts)\/.*/, '$2'),
  );
  const sections = [...parts].map(([part, files]) => {
    const lines = files.flatMap(({ file, text }) => [
      `- [\`${file.slice(part.length + 1)}\`](../../${file}): ${sentencesOf(commentOf(text))}`,
      ...numbersOf(text, file),
    ]);
    return `## ${part}\n\n${lines.join('\n')}\n`;
  });
  const page = `<!-- Made by \`npm run generate\` from the comments of the files. Do not edit. -->

# Source files

To find where something is decided, search this page. It contains the beginning of each file's comment, and the numbers in the file: limits and times.

${sections.join('\n')}`;

  await expect(page).toMatchFileSnapshot(pageAt('docs/reference/files.md'));
});

it('each file says what it does, at its beginning or before its first export', () => {
  const silent = sources.filter(({ text }) => commentOf(text) === '').map(({ file }) => file);

  expect(sources.length).toBeGreaterThan(1000);
  expect(silent).toEqual([]);
});

/** Each names its file, for those who search the page. */
function numbersOf(text: string, file: string): string[] {
  return [...text.replaceAll(commentInside, '').matchAll(ofNumbers)].flatMap(
    ({ groups: { comment = '', name = '', value = '' } = {} }) => {
      const shown = value.replace(/ (as const|satisfies \w+)$/, '').replaceAll(/\s+/g, ' ');
      const about = comment && `: ${sentencesOf(comment)}`;
      const isNumber = /\d/.test(value.replaceAll(/'[^']*'/g, ''));
      return unit.test(name) || !isNumber ? [] : [`  - \`${name} = ${shown}\` in ${file}${about}`];
    },
  );
}

function commentOf(text: string): string {
  return ofFile.map((place) => place.exec(text)?.groups?.comment).find((each) => each) ?? '';
}

/** A comment's first sentence, and as many of the following as fit on a line. */
function sentencesOf(comment: string): string {
  const lines = comment.replaceAll(/^[ *#]+/gm, '').trim();
  const [text = ''] = lines.split(/\n\n|\n```|(?:^|\s)@(?=[a-z]+ )/);
  const line = text.replaceAll(/\{@link (\w+)\}/g, '`$1`').replaceAll(/\s+/g, ' ');
  return /^(.{0,279}|.*?)(?<!e\.g|i\.e|etc)[.!?](?= |$)/.exec(line)?.[0] ?? line;
}
