/**
 * Records which runs of tests had no failure on a commit, for `npm run release -- publish`:
 * .skolo/green.json.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './node.mjs';
import { kinds } from './peers.mjs';
import { git } from './release/git.mjs';

/** @typedef {'first' | 'slow' | 'long'} Run */

const file = join(root, '.skolo', 'green.json');

/**
 * Returns the commit whose files are checked out, or undefined if the working tree differs from it
 * or is no clone.
 */
export function committedState() {
  try {
    return git(root, 'status', '--porcelain') === '' ? git(root, 'rev-parse', 'HEAD') : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Adds a run without failures, or removes an earlier one. A run says nothing about a commit if the tree has changed meanwhile. The second
 * tier says little about it without the counterparts that `npm run peers` installs.
 *
 * @param {Run} run
 * @param {string | undefined} commit before the run
 * @param {boolean} hasPassed
 * @param {Record<string, unknown>} peers that are installed
 */
export function recordRun(run, commit, hasPassed, peers) {
  if (commit === undefined || commit !== committedState()) return;
  const missing = kinds.filter(
    ({ name, debian, build, installed }) =>
      !(name in peers) &&
      (debian.length > 0 || build) &&
      (!installed || run === 'long') &&
      installed !== 'by hand',
  );
  const isGreen = hasPassed && (run === 'first' || missing.length === 0);
  const { [run]: _, ...runs } = runsOf(commit);
  const now = new Date().toISOString();
  mkdirSync(join(root, '.skolo'), { recursive: true });
  const green = { commit, runs: { ...runs, ...(isGreen && { [run]: now }) } };
  writeFileSync(file, `${JSON.stringify(green, undefined, 2)}\n`);
}

/**
 * @param {string} commit
 * @returns {Record<string, string>}
 */
function runsOf(commit) {
  try {
    const green = JSON.parse(readFileSync(file, 'utf8'));
    return green.commit === commit ? green.runs : {};
  } catch {
    return {};
  }
}
