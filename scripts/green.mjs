/**
 * Records which runs of tests had no failure on a commit, for `npm run release -- publish`:
 * .skolo/green.json.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './node.mjs';
import { kinds } from './peers.mjs';
import { git } from './release/git.mjs';

/** @typedef {'first' | 'slow' | 'long'} Run */

const file = join(root, '.skolo', 'green.json');

/**
 * Returns the commit whose files are checked out, or undefined if the working tree differs from it
 * or is no clone. The settings of a user hide no file.
 */
export function committedState() {
  const status = ['-c', 'core.excludesFile=', 'status', '--porcelain', '--untracked-files=all'];
  try {
    return git(root, ...status) === '' ? git(root, 'rev-parse', 'HEAD') : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Adds a run without failures, or removes an earlier one. A run says nothing about a commit if a
 * file was changed meanwhile, even if the change was undone, or if a variable has changed what is
 * tested. The second tier says little about it without root and the counterparts that `npm run
 * peers` installs.
 *
 * @param {Run} run
 * @param {{ commit: string | undefined, startedAt: number }} start
 * @param {boolean} hasPassed
 * @param {Record<string, unknown>} peers that are installed
 */
export function recordRun(run, { commit, startedAt }, hasPassed, peers) {
  const { SKOLO_HOURS, SKOLO_LONG, SKOLO_SEED } = process.env;
  if (hasChangedSince(startedAt)) {
    console.log('Files were changed during the run: .skolo/green.json does not name it');
    // turbo has stored results of files that it had read before.
    rmSync(join(root, '.turbo', 'cache'), { recursive: true, force: true });
    return;
  }
  if (commit === undefined || commit !== committedState()) return;
  const missing = kinds.filter(
    ({ name, debian, build, installed }) =>
      !(name in peers) &&
      (debian.length > 0 || build) &&
      (!installed || run === 'long') &&
      installed !== 'by hand',
  );
  const isComplete = run === 'first' || (missing.length === 0 && process.getuid?.() === 0);
  const isUsual = !SKOLO_HOURS && !SKOLO_LONG && (!SKOLO_SEED || run === 'long');
  const { [run]: _, ...runs } = runsOf(commit);
  const now = new Date().toISOString();
  const green = hasPassed && isComplete && isUsual ? { [run]: now } : {};
  mkdirSync(join(root, '.skolo'), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ commit, runs: { ...runs, ...green } }, undefined, 2)}\n`);
}

/** @param {number} time in milliseconds since 1970 */
function hasChangedSince(time) {
  try {
    return git(root, 'ls-files', '-z')
      .split('\0')
      .filter((name) => name !== '')
      .some((name) => (statSync(join(root, name), { throwIfNoEntry: false })?.ctimeMs ?? 0) > time);
  } catch {
    return false;
  }
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
