/**
 * Runs test files again as on a new machine, where none of the programs that they ask for is installed: in CI, those whose programs have
 * changed. `npm test -- --bare` runs all.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { findNodeOrQuit } from '../ensure.mjs';
import { root } from '../node.mjs';
import { peerKinds } from '../peers.mjs';
import { git } from '../release/git.mjs';

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');

/**
 * @param {ReadonlyMap<string, string>} workspaces directories of packages
 * @param {ReadonlyMap<string, import('../results.mjs').Results>} results of the packages, with the programs installed
 * @returns {{ failed: import('../results.mjs').Finding[], notRun: string[] }}
 */
export function runBare(workspaces, results) {
  /** @type {Changes} */
  let changes;
  try {
    changes = changesSince(lastOfMain());
  } catch {
    const why = 'git does not know the commit before; fetch it, if this is a shallow clone';
    return { failed: [], notRun: [`test files without their programs: ${why}`] };
  }
  const failed = [...results].flatMap(([name, { files }]) => {
    const folder = workspaces.get(name) ?? root;
    const chosen = files.filter(({ name: file, asked }) =>
      isChanged({ file: relative(root, join(folder, file)), asked }, changes),
    );
    if (chosen.length === 0) return [];
    const report = join(folder, '.test-results.json');
    rmSync(report, { force: true });
    console.log(`Without their programs: ${name}, ${chosen.map((file) => file.name).join(', ')}`);
    spawnSync(findNodeOrQuit(), [vitest, 'run', ...chosen.map((file) => file.name)], {
      cwd: folder,
      env: { ...process.env, SKOLO_PEERS: '{}' },
      stdio: 'inherit',
    });
    /** @type {Pick<import('../results.mjs').Results, 'failed'>} */
    const ran = existsSync(report)
      ? JSON.parse(readFileSync(report, 'utf8'))
      : { failed: [{ name: 'test', why: 'left no results' }] };
    return ran.failed.map((finding) => ({
      ...finding,
      name: `${name} ${finding.name}, without its programs`,
    }));
  });
  return { failed, notRun: [] };
}

/** @typedef {{ files: ReadonlySet<string>, peers: ReadonlySet<string> }} Changes */

/**
 * Whether a test file, or what one of its programs is, has changed.
 * @param {{ file: string, asked?: string[] | undefined }} test
 * @param {Changes} changes
 */
export function isChanged({ file, asked = [] }, { files, peers }) {
  return asked.length > 0 && (files.has(file) || asked.some((name) => peers.has(name)));
}

/**
 * @param {string} commit
 * @returns {Changes}
 */
function changesSince(commit) {
  const files = git(root, 'diff', '--name-only', commit, '--').split('\n');
  const before = git(root, 'show', `${commit}:scripts/peers.mjs`);
  const changed = peerKinds.filter(({ name }) => entryOf(before, name) !== entryOf(now(), name));
  return { files: new Set(files), peers: new Set(changed.map(({ name }) => name)) };
}

/**
 * @param {string} text of scripts/peers.mjs
 * @param {string} name
 */
export function entryOf(text, name) {
  return text.split(/^ {2}\{$/m).find((entry) => entry.includes(`\n    name: '${name}',\n`));
}

function now() {
  return readFileSync(join(root, 'scripts', 'peers.mjs'), 'utf8');
}

/** What this branch began with; on the main branch, the commit before. */
function lastOfMain() {
  const head = git(root, 'rev-parse', 'HEAD');
  for (const main of ['origin/HEAD', 'origin/main', 'main']) {
    try {
      const base = git(root, 'merge-base', 'HEAD', main);
      if (base !== head) return base;
    } catch {
      // There is no such branch here.
    }
  }
  return `${head}^`;
}
