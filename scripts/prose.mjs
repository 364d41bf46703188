/**
 * `node scripts/prose.mjs [FILE…]`: checks the project's pages against its rules for prose. Part of `npm run lint`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Longer ones hold more than one fact. */
const mostWords = 30;
const mostSemicolons = 1;
/**
 * Each with what to write instead.
 *
 * @type {[RegExp, string][]}
 */
const rules = [
  [/^(What|Who|Where|Of)\b[^?]*$/, 'make the actor the subject'],
  [/\b(doors?)\b/i, 'endpoint or receiver'],
  [/\b(lanes?)\b/i, 'queue or ordering key'],
  [/\b(nobody|whoever|whatever|anew)\b/i, 'name the actor, or say "again"'],
  [/\b(beside|so many|likewise|so is)\b/i, 'say it in full'],
  [/\b(is none|are none)\b/i, 'say what it is'],
  [/\b(hands? on|looks? after|is owed|hears? of)\b/i, 'send, manage, be missing, receive'],
];

const files = process.argv.slice(2);
let broken = 0;
for (const file of files.length > 0 ? files : trackedPages()) {
  const problems = problemsOf(readFileSync(file, 'utf8'));
  for (const problem of problems) console.error(`${file}:${problem}`);
  broken += problems.length;
}
process.exitCode = broken > 0 ? 1 : 0;

function trackedPages() {
  return execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');
}

/**
 * `line: what is wrong` of each mistake. Code, targets of links and rules of tables are not prose.
 *
 * @param {string} text
 */
function problemsOf(text) {
  return paragraphsOf(text).flatMap(({ line, prose }) => {
    const found = [];
    const semicolons = prose.split(';').length - 1;
    if (semicolons > mostSemicolons)
      found.push(`${semicolons} semicolons in a paragraph: split it`);
    for (const sentence of prose.split(/(?<=[.!?:][*)"]*)\s+/)) {
      const words = sentence.split(/\s+/).filter((word) => /\w/.test(word)).length;
      if (words > mostWords)
        found.push(`${words} words: one fact per sentence: ${sentence.slice(0, 60)}…`);
      for (const [pattern, instead] of rules) {
        const match = pattern.exec(sentence);
        if (match !== null) found.push(`"${match[1]}": ${instead}`);
      }
    }
    return found.map((what) => `${line}: ${what}`);
  });
}

/**
 * Each list entry, table cell and paragraph, with the line at which it begins.
 *
 * @param {string} text
 */
function paragraphsOf(text) {
  /** @type {{ line: number, prose: string }[]} */
  const paragraphs = [];
  let isCode = false;
  let isOpen = false;
  for (const [index, row] of text.split('\n').entries()) {
    if (/^\s*```/.test(row)) isCode = !isCode;
    const isProse = !isCode && !/^\s*(```|#|\|[\s|:-]+\|$|$)/.test(row);
    if (!isProse) {
      isOpen = false;
      continue;
    }
    const cells = row.startsWith('|') ? row.split('|').filter((cell) => cell.trim() !== '') : [row];
    const begins = cells.length > 1 || row.startsWith('|') || /^\s*([-*]|\d+\.)\s/.test(row);
    if (begins || !isOpen) {
      for (const cell of cells) paragraphs.push({ line: index + 1, prose: plain(cell) });
    } else {
      const last = paragraphs.at(-1);
      if (last !== undefined) last.prose += ` ${plain(row)}`;
    }
    isOpen = !row.startsWith('|');
  }
  return paragraphs;
}

/** @param {string} text */
function plain(text) {
  return text
    .replaceAll(/`[^`]*`/g, '`code`')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/https?:\/\/\S+/g, 'URL')
    .replace(/^\s*([-*>]|\d+\.)\s+/, '')
    .trim();
}
