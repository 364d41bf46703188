/**
 * Lints and runs the first tier of tests (`npm test`), the second one (`npm run test:slow`), or both with many more rounds of random faults,
 * from a random seed that SKOLO_SEED replaces (`npm run test:long`). The last line is `N passed, N failed, N skipped`.
 */
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { runChild } from './child.mjs';
import { turbo, turboEnv } from './ensure.mjs';
import { committedState, recordRun } from './green.mjs';
import { root } from './node.mjs';
import { findPeers } from './peers.mjs';

/** @param {string} pattern */
const find = (pattern) => globSync(pattern, { cwd: root }).sort();
/** @param {string} file */
const textOf = (file) => readFileSync(join(root, file), 'utf8');
const run = /** @type {import('./green.mjs').Run} */ (process.argv[2]);
const tasks = { first: ['test'], slow: ['test:slow'], long: ['test', 'test:slow'] }[run];
const peers = await findPeers();
console.log(`Real counterparts: ${Object.keys(peers).join(', ') || 'none'}`);
const { SKOLO_SEED = String(Date.now() % 1_000_000) } = process.env;
// For half of the time, tests of the second tier wait.
const packages = availableParallelism() + (run === 'first' ? 0 : 2);
if (run === 'long') console.log(`SKOLO_SEED=${SKOLO_SEED}`);
const start = { commit: committedState(), startedAt: Date.now() };
// Turbo restores the results of unchanged packages.
for (const file of find('{.turbo/runs,*/*/.test-results}/*.json')) rmSync(join(root, file));
const { exitCode, interrupted } = await runChild(
  turbo,
  [
    ...['run', 'lint', ...tasks, '--continue=dependencies-successful', '--summarize'],
    ...[`--concurrency=${packages}`, '--output-logs=new-only', '--log-order=grouped'],
  ],
  {
    cwd: root,
    passSignalsTo: 'group',
    env: {
      ...process.env,
      ...turboEnv,
      PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
      SKOLO_PEERS: JSON.stringify(peers),
      SKOLO_ROOT: `${process.getuid?.() === 0} ${existsSync(join(root, '../shared'))}`,
      ...(run === 'long' && { SKOLO_LONG: '1', SKOLO_SEED }),
    },
  },
);
if (interrupted) process.exit(130);
/** @type {import('./report-tests.mjs').Results} */
const noResults = { passed: 0, failed: [], skipped: [], files: [] };
const total = structuredClone(noResults);
const { failed } = total;
const summary = find('.turbo/runs/*.json').flatMap((file) => JSON.parse(textOf(file)).tasks);
expectSuccess('//#lint');
for (const folder of find('{packages,services,test}/*/vitest.config.ts').map(dirname)) {
  for (const task of tasks) {
    const file = `${folder}/.test-results/${task}.json`;
    const results = existsSync(join(root, file)) ? JSON.parse(textOf(file)) : noResults;
    total.passed += results.passed;
    total.skipped.push(...results.skipped);
    total.files.push(...results.files);
    failed.push(...results.failed);
    if (results === noResults) fail(folder, `${task} left no results`);
    if (results.failed.length === 0) expectSuccess(`@skolo/${basename(folder)}#${task}`);
  }
}
if (total.passed === 0) fail(run, 'no test has passed');
if (exitCode !== 0 && failed.length === 0) fail('turbo', `ended with ${exitCode}`);
recordRun(run, start, failed.length === 0, peers);
for (const { name, why } of failed) console.log(`Failed: ${name}: ${why}`);
for (const [why, tests] of Map.groupBy(total.skipped, ({ why }) => why)) {
  const files = new Set(tests.map(({ name }) => name.split(' > ')[0]));
  console.log(`Not run: ${why}: ${tests.length} tests of ${[...files].join(', ')}`);
}
const seconds = total.files.reduce((sum, file) => sum + file.seconds, 0);
console.log(`Processor time of the tests: ${seconds.toFixed(0)} s, most of it in`);
const costliest = total.files.toSorted((a, b) => b.seconds - a.seconds).slice(0, 10);
for (const file of costliest) console.log(`${file.seconds.toFixed(0).padStart(6)} s  ${file.name}`);
if (run === 'first') {
  const slow = find('{{packages,services,test}/*/src,scripts}/**/*.slow.test.*');
  const tests = slow.flatMap((file) => textOf(file).match(/^ *it\b/gm) ?? []);
  console.log(`npm run test:slow adds ${tests.length} tests, or tables of tests`);
}
console.log(`${total.passed} passed, ${failed.length} failed, ${total.skipped.length} skipped`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** @param {string} id of a turbo task, such as `@skolo/rack#test` */
function expectSuccess(id) {
  const exitCode = summary.find(({ taskId }) => taskId === id)?.execution?.exitCode;
  if (exitCode !== 0) fail(id, exitCode === undefined ? 'did not run' : `ended with ${exitCode}`);
}

/** @type {(name: string, why: string) => void} */
function fail(name, why) {
  failed.push({ name, why });
}
