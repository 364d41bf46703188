/**
 * `npm run files`: writes out/source-files.md, a page with the beginning of each source file's
 * comment, and the numbers in the file. Search it to find where something is decided. A release
 * contains it, too.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './node.mjs';
import { git } from './release/git.mjs';

/** @typedef {{ file: string, text: string }} Source */

const isSource = /^((packages|services)\/.*\/(src|python)|scripts)\/.*\.(tsx?|mjs|sh|pl|py)$/;
const isForTests = /\.test\.|\/(testing|testdata|bench)\/|\/proof\.ts$/;
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

/**
 * Reads the source files of programs that git tracks, and new ones, without tests.
 *
 * @param {string} folder of the repository
 * @returns {Source[]} sorted by path
 */
export function readSources(folder) {
  return git(folder, 'ls-files', '-co', '--exclude-standard')
    .split('\n')
    .filter((file) => isSource.test(file) && !isForTests.test(file))
    .filter((file) => existsSync(join(folder, file)))
    .sort()
    .map((file) => ({
      file,
      text: readFileSync(join(folder, file), 'utf8').replace(/^#!.*\n/, ''),
    }));
}

/**
 * Returns the page. It contains paths instead of links, because it is read outside of the repository, too.
 *
 * @param {readonly Source[]} sources
 */
export function sourceFilesPage(sources) {
  const parts = Map.groupBy(sources, ({ file }) =>
    file.replace(/\/(src|python|pages\/src)\/.*|^(scripts)\/.*/, '$2'),
  );
  const sections = [...parts].map(([part, files]) => {
    const lines = files.flatMap(({ file, text }) => [
      `- \`${file}\`: ${firstSentences(commentOf(text))}`,
      ...numbersOf(text, file),
    ]);
    return `## ${part}\n\n${lines.join('\n')}\n`;
  });
  return `# Source files

To find where something is decided, search this page. It contains the beginning of each file's comment, and the numbers in the file: limits and times.

${sections.join('\n')}`;
}

/**
 * Returns the comment at the beginning of a file, or before its first export; empty if there is none.
 *
 * @param {string} text
 */
export function commentOf(text) {
  return ofFile.map((place) => place.exec(text)?.groups?.comment).find(Boolean) ?? '';
}

/**
 * Returns a line for each number. It names the file, for those who search the page.
 *
 * @param {string} text
 * @param {string} file
 * @returns {string[]}
 */
function numbersOf(text, file) {
  return [...text.replaceAll(commentInside, '').matchAll(ofNumbers)].flatMap(
    ({ groups: { comment = '', name = '', value = '' } = {} }) => {
      const number = value.replace(/ (as const|satisfies \w+)$/, '').replaceAll(/\s+/g, ' ');
      const about = comment && `: ${firstSentences(comment)}`;
      const isNumber = /\d/.test(value.replaceAll(/'[^']*'/g, ''));
      return unit.test(name) || !isNumber ? [] : [`  - \`${name} = ${number}\` in ${file}${about}`];
    },
  );
}

/**
 * Returns a comment's first sentence, and as many of the following as fit on a line.
 *
 * @param {string} comment
 */
function firstSentences(comment) {
  const lines = comment.replaceAll(/^[ *#]+/gm, '').trim();
  const [text = ''] = lines.split(/\n\n|\n```|(?:^|\s)@(?=[a-z]+ )/);
  const line = text.replaceAll(/\{@link (\w+)\}/g, '`$1`').replaceAll(/\s+/g, ' ');
  return /^(.{0,279}|.*?)(?<!e\.g|i\.e|etc)[.!?](?= |$)/.exec(line)?.[0] ?? line;
}

if (import.meta.main) {
  const page = join(root, 'out', 'source-files.md');
  mkdirSync(join(root, 'out'), { recursive: true });
  writeFileSync(page, sourceFilesPage(readSources(root)));
  console.log(page);
}
