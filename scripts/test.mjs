/**
 * `npm test`: installs what is missing, then type-checks, lints and runs the tests, the long ones only in part.
 *
 * --long [PACKAGE…]        runs in full the tests that are sampled otherwise (`npm run test:long`): all, or those of these packages
 * --bare                   as on a new machine, where none of the real counterparts is installed
 * --hours N                with --long: how long machines attack the rest of a rack; default: ten minutes
 * SKOLO_SEED=N             repeats the random tests of an earlier run, which print their seed
 * SKOLO_SAMPLE=N           which of the most expensive test files run: 0 to 6, those of one day of the week each; default: today's
 * CI, SKOLO_TEST_INSTALL=1 as root on Debian, installs the real counterparts that tests use; files whose counterparts have changed then run
 *                          once more, without them
 *
 * The last line is `N passed, N failed, N skipped`; the exit code is 0 only if nothing failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runChild } from './child.mjs';
import { ensureInstalled, findNodeOrQuit, turbo, turboEnv } from './ensure.mjs';
import { installPeers, isWanted } from './install-peers.mjs';
import { memoryFolder } from './memory-folder.mjs';
import { compileCache, root } from './node.mjs';
import { findPeers, hintOf, peerKinds } from './peers.mjs';
import { runBare } from './programs/bare.mjs';
import { addUp, closing, notAsked } from './results.mjs';
import { leftOut, sampledTests, sampleOfDay } from './sampled-tests.mjs';

const verbs = ['lint', 'test'];
/** The full tests of these packages boot so many computers at the same time that each package needs both cores. */
const alone = new Set(['@skolo/cli', '@skolo/e2e', '@skolo/setup']);
const summaries = join(root, '.turbo', 'runs');

const options = readOptions();
ensureInstalled();
/** What each package's tests read to choose what they run. */
const choice = {
  SKOLO_SAMPLE: options.sample,
  ...(options.long && { SKOLO_LONG: '1' }),
  ...(options.hours !== undefined && { SKOLO_HOURS: options.hours }),
};
const whyNotInstalled = options.bare
  ? new Map()
  : await installPeers({ ...process.env, ...choice });
const peers = options.bare ? {} : await findPeers();
printPeers();
const peersText = `${JSON.stringify(peers)}\n`;
writePeers(peersText);

const workspaces = findWorkspaces(options.packages);
// Results of an earlier run do not count; turbo restores them for unchanged packages.
for (const folder of workspaces.values()) rmSync(resultsFile(folder), { force: true });
rmSync(summaries, { recursive: true, force: true });

if (!existsSync(compileCache)) {
  spawnSync(findNodeOrQuit(), [join(root, 'scripts', 'compile-sources.mjs')], {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
  });
}

// The full tests are meant for a real disk, and need more space.
const inMemory = options.long ? undefined : memoryFolder();
const [program = turbo, ...before] = [...(inMemory?.command ?? []), turbo];
let exitCode = 0;
for (const round of rounds()) {
  const ended = await runChild(
    program,
    [
      ...before,
      'run',
      ...verbs,
      ...round,
      '--continue=dependencies-successful',
      '--output-logs=new-only',
      '--log-order=grouped',
      '--summarize',
    ],
    {
      cwd: root,
      passSignalsTo: 'group',
      env: {
        ...process.env,
        ...turboEnv,
        // npm runs each package's tests with the first node in PATH.
        PATH: `${dirname(findNodeOrQuit())}${delimiter}${process.env.PATH}`,
        SKOLO_PEERS: peersText.trim(),
        // Garbage collection takes a fifth of the CPU time of kubectl, Prometheus, tsc and other Go programs.
        GOGC: '400',
        GOMEMLIMIT: '2GiB',
        ...(inMemory && { TMPDIR: inMemory.folder }),
        ...choice,
      },
    },
  );
  if (ended.interrupted) {
    inMemory?.remove();
    console.log('\nInterrupted.');
    process.exit(130);
  }
  exitCode ||= ended.exitCode;
}
inMemory?.remove();
const results = readResults();
const total = addUp(readTasks(), results);
const found = peerKinds.filter(({ name }) => name in peers);
total.failed.push(...notAsked(total.skipped, found));
if (isWanted(process.env) && !options.bare && !options.long) {
  const bare = runBare(workspaces, results);
  total.failed.push(...bare.failed);
  total.notRun.push(...bare.notRun);
}
if (exitCode !== 0 && total.failed.length === 0) {
  total.failed.push({ name: 'turbo', why: `ended with ${exitCode}` });
}
if (options.long) printMinutes();
for (const line of closing(total, missingPeers())) console.log(line);
process.exitCode = total.failed.length > 0 ? 1 : 0;

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        long: { type: 'boolean' },
        hours: { type: 'string' },
        bare: { type: 'boolean' },
      },
      allowPositionals: true,
    });
    const sample = values.long ? undefined : (process.env.SKOLO_SAMPLE ?? sampleOfDay());
    const left = leftOut(sample);
    const names = [...findWorkspaces([]).values()].map((folder) => basename(folder)).slice(1);
    const unknown = positionals.find((name) => !values.long || !names.includes(name));
    if (values.hours !== undefined && (!values.long || !(Number(values.hours) > 0))) {
      throw new Error(`--hours ${values.hours}: give a number of hours, with npm run test:long`);
    }
    if (unknown === undefined) return { ...values, packages: positionals, sample, left };
    throw new Error(`${unknown}: no such package; there are ${names.sort().join(', ')}`);
  } catch (error) {
    const usage = 'usage: npm test [-- --bare], npm run test:long [-- [--hours N] [PACKAGE…]]';
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}

/** Turbo's arguments: all packages together, or in full mode first those that can run in parallel. */
function rounds() {
  if (!options.long) return [[]];
  const names = [...workspaces.keys()];
  /** @param {string[]} of */
  const filters = (of) => of.map((name) => `--filter=${name}`);
  return [
    filters(names.filter((name) => !alone.has(name))),
    ['--concurrency=1', ...filters(names.filter((name) => alone.has(name)))],
  ].filter((round) => round.some((word) => word.startsWith('--filter')));
}

/** How long each package's fault-injection tests took, longest first. */
function printMinutes() {
  const took = readExecutions().map(({ taskId, execution: { startTime, endTime } }) => ({
    name: taskId.replace(/^@skolo\/|#test$/g, ''),
    minutes: (endTime - startTime) / 60_000,
  }));
  const lines = took
    .sort((a, b) => b.minutes - a.minutes)
    .map(({ name, minutes }) => `${name} ${minutes.toFixed(1)}`);
  console.log(`\nMinutes of each package: ${lines.join(', ')}`);
}

function printPeers() {
  const here = Object.entries(peers).map(([name, { version }]) => `${name} ${version}`);
  console.log(`Real counterparts found: ${here.join(', ') || 'none'}`);
  const { sample, left } = options;
  if (left.length > 0) {
    const few = `${sampledTests.length - left.length} of the ${sampledTests.length} most expensive test files`;
    console.log(`Sample ${sample}: ${few}; npm run test:long runs all`);
  }
  if (process.env.SKOLO_SEED) console.log(`Seed of random tests: ${process.env.SKOLO_SEED}`);
}

/**
 * Turbo's cache of test results depends on this file, so tests run again when a counterpart is installed or removed, but not when turbo is
 * called without this script.
 * @param {string} text
 */
function writePeers(text) {
  mkdirSync(join(root, '.skolo'), { recursive: true });
  writeFileSync(join(root, '.skolo', 'peers.json'), text);
}

/**
 * Directories of the packages, by name; the root is `//`, as turbo calls it.
 * @param {string[]} only directory names; none: all, and the root
 */
function findWorkspaces(only) {
  /** @type {Map<string, string>} */
  const found = new Map(only.length === 0 ? [['//', root]] : []);
  for (const pattern of readJson(join(root, 'package.json')).workspaces) {
    const parent = join(root, pattern.replace(/\/\*$/, ''));
    for (const name of readdirSync(parent)) {
      const manifest = join(parent, name, 'package.json');
      if (only.length > 0 && !only.includes(name)) continue;
      if (existsSync(manifest)) found.set(readJson(manifest).name, join(parent, name));
    }
  }
  return found;
}

/** Every expected task, with its result from turbo's summary. */
function readTasks() {
  /** @type {Map<string, number>} */
  const exitCodes = new Map(
    readExecutions().map(({ taskId, execution }) => [taskId, execution.exitCode]),
  );
  return [...workspaces].flatMap(([name, folder]) => {
    const { scripts = {} } = readJson(join(folder, 'package.json'));
    // The root's own `test` is not a task: it calls turbo.
    const tasks = name === '//' ? ['lint'] : verbs.filter((verb) => verb in scripts);
    return tasks.map((task) => ({
      package: name,
      task,
      exitCode: exitCodes.get(`${name}#${task}`),
    }));
  });
}

/** @returns {{ taskId: string, execution: { exitCode: number, startTime: number, endTime: number } }[]} */
function readExecutions() {
  const files = existsSync(summaries) ? readdirSync(summaries) : [];
  return files
    .flatMap((file) => readJson(join(summaries, file)).tasks)
    .filter(({ execution }) => execution);
}

function readResults() {
  /** @type {Map<string, import('./results.mjs').Results>} */
  const results = new Map();
  for (const [name, folder] of workspaces) {
    const file = resultsFile(folder);
    if (existsSync(file)) results.set(name, readJson(file));
  }
  return results;
}

function missingPeers() {
  return peerKinds
    .filter(({ name }) => !(name in peers))
    .map(({ name, debian, build, proves }) => {
      const why = whyNotInstalled.get(build ?? debian.join(' '));
      const hint = hintOf({ debian, build });
      return `${name} is not installed${hint}${why ? `: ${why}` : ''}; proves ${proves}`;
    });
}

/** @param {string} folder */
function resultsFile(folder) {
  return join(folder, '.test-results.json');
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
