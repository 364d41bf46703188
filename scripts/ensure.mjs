/** Checks the prerequisites of `npm start` and `npm test`, and installs what is missing. Runs with only Node ≥ 20 and git installed. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNode, root } from './node.mjs';

/** Settings for every turbo that we start: no telemetry, and no daemon. */
export const turboEnv = {
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  DO_NOT_TRACK: '1',
};

/** The path at which npm installs turbo. */
export const turbo = join(root, 'node_modules', '.bin', 'turbo');

/** Checks Node's version and installs the dependencies if they differ from the lock file. */
export function ensureInstalled() {
  const complaint = nodeComplaint(process.versions.node, readJson('package.json').engines.node);
  if (complaint) quit(complaint);
  if (isUpToDate()) return;
  console.error('Installing dependencies (npm ci), about a minute …');
  const [program = '', ...first] = npm();
  const { status, error } = spawnSync(
    program,
    [...first, 'ci', '--include=dev', '--no-audit', '--no-fund', '--prefer-offline'],
    {
      cwd: root,
      // Within `npm start --silent`, too.
      env: { ...process.env, npm_config_update_notifier: 'false', npm_config_progress: 'true' },
      // Its output is not ours. On a terminal, npm shows its progress.
      stdio: ['ignore', process.stderr, process.stderr],
    },
  );
  if (status !== 0) quit(`npm ci failed: ${error?.message ?? `ended with ${status}`}`);
  // npm 10 can fail with exit code 0: "Exit handler never called!"
  if (!isUpToDate()) quit('npm ci failed: it left node_modules without what it should hold');
}

function isUpToDate() {
  const installed = join('node_modules', '.package-lock.json');
  return (
    existsSync(join(root, installed)) &&
    isInstalled(readJson('package-lock.json'), readJson(installed))
  );
}

/** The Node that runs our sources. */
export function findNodeOrQuit() {
  try {
    return findNode();
  } catch (error) {
    return quit(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Why this version of Node does not satisfy a range such as `>=20`; undefined if it does.
 * @param {string} version
 * @param {string} range
 */
export function nodeComplaint(version, range) {
  const least = /^>=(\d+)$/.exec(range)?.[1];
  if (!least) throw new Error(`package.json: engines.node is ${range}, expected >=MAJOR`);
  if (Number(version.split('.')[0]) >= Number(least)) return undefined;
  return `To install skolo, Node ${least} or newer is required; this is ${version} (${process.execPath}). See https://nodejs.org/`;
}

/**
 * @typedef {{ packages: Record<string, { version?: string, integrity?: string, resolved?: string, link?: boolean, optional?: boolean, devOptional?: boolean }> }} Lock
 */

/**
 * Whether npm's record of node_modules (`node_modules/.package-lock.json`, which it writes last) matches the lock file. Optional packages
 * may be missing: they are for other platforms.
 * @param {Lock} lock
 * @param {Lock} installed
 */
export function isInstalled(lock, installed) {
  const isSame = Object.entries(lock.packages).every(([path, wanted]) => {
    // The root and the workspaces are linked, not installed.
    if (!path.includes('node_modules/')) return true;
    const found = installed.packages[path];
    if (!found) return wanted.optional === true || wanted.devOptional === true;
    // Whether npm records a package's origin depends on its configuration; it always records a link's target.
    return wanted.link
      ? found.resolved === wanted.resolved
      : found.version === wanted.version && found.integrity === wanted.integrity;
  });
  return isSame && Object.keys(installed.packages).every((path) => path in lock.packages);
}

/** The npm that runs this process, otherwise the one in PATH. */
function npm() {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') ? [process.execPath, script] : ['npm'];
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/**
 * @param {string} message
 * @returns {never}
 */
function quit(message) {
  console.error(message);
  process.exit(1);
}
