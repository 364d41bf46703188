/**
 * Reads which test runs have passed on a commit. The runs themselves record it, in
 * .skolo/green.json (../green.mjs).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Command of each run that a release requires. */
const commands = {
  first: 'npm test',
  slow: 'npm run test:slow',
  long: 'npm run test:long',
};
const time = z.iso.datetime({ offset: true }).optional();
const TestRuns = z.object({
  commit: z.string().regex(/^[\da-f]{40}$/),
  runs: z.object({ first: time, slow: time, long: time }),
});

/**
 * Returns one line for each run that the file does not record for the commit.
 *
 * @param {Pick<import('./release.mjs').Release, 'root' | 'commit'>} release
 */
export function testRunProblems({ root, commit }) {
  const file = join(root, '.skolo', 'green.json');
  const record = readRecord(file);
  return Object.entries(commands).flatMap(([run, command]) => {
    const problem = problemOf(record, commit, /** @type {keyof typeof commands} */ (run));
    if (problem === undefined) return [];
    const remedy = `run \`${command}\` on commit ${commit.slice(0, 9)}, with a clean working tree`;
    return [`${file}: ${problem}; ${remedy}`];
  });
}

/**
 * Returns undefined if the run has passed on the commit.
 *
 * @param {ReturnType<typeof readRecord>} record
 * @param {string} commit
 * @param {keyof typeof commands} run
 */
function problemOf(record, commit, run) {
  if (typeof record === 'string') return record;
  if (record.commit !== commit) return `of commit ${record.commit.slice(0, 9)}`;
  return record.runs[run] === undefined ? 'no successful run' : undefined;
}

/**
 * Returns the reason as text if the file cannot be used.
 *
 * @param {string} file
 * @returns {z.infer<typeof TestRuns> | string}
 */
function readRecord(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    return code === 'ENOENT' ? 'missing' : `cannot be read (${code})`;
  }
  try {
    return TestRuns.parse(JSON.parse(text));
  } catch {
    return 'not a record of test runs';
  }
}
