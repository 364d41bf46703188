/**
 * `node scripts/prose.mjs [FILE…]`: checks pages, strings and exported names of programs, and alert rules against scripts/words.yaml and the
 * limits below. Part of `npm run lint`. For files that you name, it also lists what is pending.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { annotationsOf, paragraphsOf, stringsOf } from './prose/texts.mjs';

/** @typedef {{ not: RegExp, use: string, on?: 'pages' | 'strings' | 'names', except?: RegExp, pending?: string }} Rule */

/** Words of a sentence. A semicolon ends one: messages are `subject: what happened; what to do`. */
const mostWords = 30;
/** In percent of the sentences, for pages with at least this many. */
const limits = [
  {
    name: 'passive voice',
    percent: 45,
    pattern: /\b(is|are|was|were|be|been|being) (\w+ly )?\w+(ed|en|wn|nt|ept|ound)\b/i,
  },
  {
    name: '"what …" clauses',
    percent: 12,
    pattern: /\bwhat (it|is|a|the|they|you|we|was|has|does)\b/i,
  },
];
const enoughSentences = 20;

/** @type {Rule[]} */
const rules = Object.values(parse(readFileSync(new URL('words.yaml', import.meta.url), 'utf8')))
  .flat()
  .map(({ not, except, ...rule }) => ({
    ...rule,
    except: except && new RegExp(except),
    not: new RegExp(`(?<![\\w-])(?:${not})(?![\\w-])`, rule.case === 'exact' ? '' : 'i'),
  }));

const named = process.argv.slice(2);
const problems = (named.length > 0 ? named : trackedFiles()).flatMap((file) =>
  problemsOf(file, readFileSync(file, 'utf8')).map((problem) => `${file}:${problem}`),
);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** Pages, sources of programs without their tests, and alert rules. */
function trackedFiles() {
  const patterns = [
    '*.md',
    'packages/*/src/*.ts',
    'packages/*/src/*.tsx',
    'services/*/src/*.ts',
    'packages/console/pages/src/*.ts*',
    'kube/base/prometheus/rules/*.yaml',
  ];
  return execFileSync('git', ['ls-files', ...patterns], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter((file) => !/\.test\.|\/(testing|bench)\/|\/proof\.ts$/.test(file));
}

/**
 * `line: problem` for each problem.
 *
 * @param {string} file
 * @param {string} content
 */
function problemsOf(file, content) {
  const kind = file.endsWith('.md') ? 'pages' : 'strings';
  const texts = textsOf(file, content);
  const found = texts.flatMap(({ line, prose, kind: own = kind }) =>
    sentencesOf(prose)
      .flatMap((sentence) => problemsOfSentence(sentence, own, file))
      .map((what) => `${line}: ${what}`),
  );
  return [...found, ...(kind === 'pages' ? ratesOf(texts) : [])];
}

/**
 * @param {string} file
 * @param {string} content
 */
function textsOf(file, content) {
  if (file.endsWith('.md')) return paragraphsOf(content);
  if (file.endsWith('.yaml')) return annotationsOf(content);
  return stringsOf(content, file.endsWith('.tsx') ? 'tsx' : 'ts');
}

/** @param {string} prose */
function sentencesOf(prose) {
  return prose.split(/(?<=[.!?:;][*)"]*)\s+/);
}

/**
 * @param {string} sentence
 * @param {string} kind
 * @param {string} file
 */
function problemsOfSentence(sentence, kind, file) {
  const found = [];
  const words = sentence.split(/\s+/).filter((word) => /\w/.test(word)).length;
  if (words > mostWords) found.push(`${words} words: split it: ${sentence.slice(0, 60)}…`);
  for (const { not, use, on, except, pending } of rules) {
    const isFor = on === kind || (on === undefined && kind !== 'names');
    if (!isFor || except?.test(file)) continue;
    if (named.length === 0 && (pending === kind || pending === 'both')) continue;
    const match = not.exec(sentence);
    if (match !== null) found.push(`"${match[0].slice(0, 40)}": ${use}`);
  }
  return found;
}

/** @param {import('./prose/texts.mjs').Text[]} texts */
function ratesOf(texts) {
  const sentences = texts
    .flatMap(({ prose }) => sentencesOf(prose))
    .filter((each) => / .* /.test(each));
  if (sentences.length < enoughSentences) return [];
  return limits.flatMap(({ name, percent, pattern }) => {
    const rate = (100 * sentences.filter((each) => pattern.test(each)).length) / sentences.length;
    return rate > percent
      ? [`1: ${name} in ${Math.round(rate)} % of the sentences; at most ${percent}`]
      : [];
  });
}
