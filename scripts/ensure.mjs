/** What the two commands need before they can begin; runs with nothing installed but Node and git. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** For every turbo that we start: it asks nobody and keeps no process behind. */
export const turboEnv = {
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  DO_NOT_TRACK: '1',
};

/** Where npm has put turbo. */
export const turbo = join(root, 'node_modules', '.bin', 'turbo');

/** Checks Node's version and installs the dependencies when they are not those of the lock file. */
export function ensureInstalled() {
  const complaint = nodeComplaint(process.versions.node, readJson('package.json').engines.node);
  if (complaint) quit(complaint);
  const installed = join('node_modules', '.package-lock.json');
  const lock = readJson('package-lock.json');
  if (existsSync(join(root, installed)) && isInstalled(lock, readJson(installed))) return;
  console.log('Installing dependencies (npm ci) …');
  quietly('npm ci', npm(), ['ci', '--include=dev', '--no-audit', '--no-fund', '--prefer-offline'], {
    npm_config_update_notifier: 'false',
  });
}

/** Builds what has changed. */
export function ensureBuilt() {
  console.log('Building what has changed …');
  quietly('The build', [turbo], ['run', 'build', '--output-logs=errors-only'], turboEnv);
}

/**
 * What is wrong with this version of Node for a range such as `>=20.19`; undefined when it is fine.
 * @param {string} version
 * @param {string} range
 */
export function nodeComplaint(version, range) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const least = /^>=(\d+)\.(\d+)$/.exec(range);
  if (!least) throw new Error(`package.json: engines.node is ${range}, expected >=MAJOR.MINOR`);
  const [wantedMajor, wantedMinor] = [Number(least[1]), Number(least[2])];
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return undefined;
  return `skolo needs Node ${wantedMajor}.${wantedMinor} or newer; this is ${version} (${process.execPath}). See https://nodejs.org/`;
}

/**
 * @typedef {{ packages: Record<string, { version?: string, resolved?: string, link?: boolean, optional?: boolean, devOptional?: boolean }> }} Lock
 */

/**
 * Whether what npm wrote down about node_modules (`node_modules/.package-lock.json`, its last act) is what the
 * lock file wants. Optional packages may be missing: they are for other machines.
 * @param {Lock} lock
 * @param {Lock} installed
 */
export function isInstalled(lock, installed) {
  const isSame = Object.entries(lock.packages).every(([path, wanted]) => {
    // The root and the workspaces themselves are linked, not installed.
    if (!path.includes('node_modules/')) return true;
    const found = installed.packages[path];
    if (!found) return wanted.optional === true || wanted.devOptional === true;
    return found.version === wanted.version && found.resolved === wanted.resolved;
  });
  return isSame && Object.keys(installed.packages).every((path) => path in lock.packages);
}

/** The npm that runs us, else the one in PATH. */
function npm() {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') ? [process.execPath, script] : ['npm'];
}

/**
 * Runs a command whose output matters only when it fails.
 * @param {string} what
 * @param {string[]} command
 * @param {string[]} args
 * @param {Record<string, string>} env
 */
function quietly(what, [program = '', ...first], args, env) {
  const { status, error, stdout, stderr } = spawnSync(program, [...first, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 1024 ** 3,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  quit(`${what} failed: ${error ? error.message : `${program} ended with ${status}`}`);
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
