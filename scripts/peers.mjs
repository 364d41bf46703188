/**
 * Finds the real counterparts that tests use, and installs them.
 *
 * `node scripts/peers.mjs` prints where each is; `--json [NAME…]` prints it for tests; `npm run
 * peers [-- --long]` installs what is missing, as root on Debian. What cannot be installed is "not
 * run" later, never an error.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from './node.mjs';

const Kind = z.strictObject({
  name: z.string(),
  commands: z.array(z.string()).optional(),
  build: z.string().optional(),
  requires: z.array(z.string()).default([]),
  version: z.array(z.string()),
  debian: z.array(z.string()).default([]),
  installed: z.enum(['for long', 'by hand']).optional(),
});
/** @typedef {z.infer<typeof Kind>} Kind */
/** @typedef {{ path: string, version: string }} Peer `version`: digits and dots, or `unknown` if the program prints none */

/** The longest installation of packages, and the longest build: seven minutes on two cores. */
const installTimeoutMs = 20 * 60_000;

/** Every counterpart, in the order of scripts/peers.yaml. */
export const kinds = z
  .array(Kind)
  .parse(parse(readFileSync(join(root, 'scripts', 'peers.yaml'), 'utf8')));

/**
 * Returns the installed counterparts by name.
 *
 * @param {readonly Kind[]} wanted
 * @returns {Promise<Record<string, Peer>>}
 */
export async function findPeers(wanted = kinds) {
  const peers = await Promise.all(wanted.map(async (kind) => [kind.name, await findPeer(kind)]));
  return Object.fromEntries(peers.filter(([, peer]) => peer !== undefined));
}

/**
 * @param {Kind} kind
 * @returns {Promise<Peer | undefined>}
 */
async function findPeer({ commands, build, requires, version }) {
  if (!requires.every((command) => findProgram(command))) return undefined;
  for (const command of commands ?? builtBy(build)) {
    const path = findProgram(command.replace(/^~/, homedir()));
    const text = path && (await output(path, version));
    if (path && text) return { path, version: text.match(/\d+(\.\d+)+/)?.[0] ?? 'unknown' };
  }
  return undefined;
}

/**
 * The path that a build script writes to. A computer without a shell for the script has none.
 *
 * @param {string | undefined} build
 */
function builtBy(build = '') {
  const [script = '', ...args] = build.split(' ');
  const { stdout } = spawnSync(join(root, script), [...args, '--path'], { encoding: 'utf8' });
  return stdout ? [stdout.trim()] : [];
}

/**
 * Returns the path of a program, which may also be in a directory for administrators, or undefined.
 *
 * @param {string} command a name, or an absolute path
 */
function findProgram(command) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return (command.includes('/') ? [command] : folders.map((folder) => join(folder, command))).find(
    (path) => {
      try {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
      } catch {
        return false;
      }
    },
  );
}

/**
 * Returns what a program prints, or undefined if it prints nothing or cannot be run. wrk and mosquitto print their version and fail; Python
 * without a module fails and prints nothing.
 *
 * @param {string} path
 * @param {string[]} args
 */
async function output(path, args) {
  try {
    const { stdout, stderr } = await promisify(execFile)(path, args, { timeout: 60_000 });
    return stdout + stderr;
  } catch (error) {
    const { code, stdout } = /** @type {{ code?: unknown, stdout?: string }} */ (error);
    return (code === 1 || code === 3) && stdout ? stdout : undefined;
  }
}

/** @param {boolean} isLong */
async function install(isLong) {
  const installed = await findPeers();
  const missing = kinds.filter(
    (kind) =>
      !(kind.name in installed) && (!kind.installed || (kind.installed === 'for long' && isLong)),
  );
  const packages = [...new Set(missing.flatMap(({ debian }) => debian))];
  /** @type {[string, string[]][]} */
  const programs = [
    [join(root, 'scripts', 'install-packages.sh'), packages],
    ...missing.flatMap(({ build = '' }) => (build ? [splitCommand(build)] : [])),
  ];
  for (const [program, args] of programs) {
    console.log([program, ...args].join(' '));
    try {
      execFileSync(program, args, {
        timeout: installTimeoutMs,
        stdio: ['ignore', 'inherit', 'pipe'],
      });
    } catch (error) {
      const { stderr } = /** @type {{ stderr?: Buffer }} */ (error);
      console.log(`failed: ${stderr?.toString().trim().split('\n').at(-1) || error}`);
    }
  }
}

/**
 * @param {string} build
 * @returns {[string, string[]]}
 */
function splitCommand(build) {
  const [script = '', ...args] = build.split(' ');
  return [join(root, script), args];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean' }, install: { type: 'boolean' }, long: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.install) await install(values.long === true);
  const peers = await findPeers(
    kinds.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
  );
  if (values.json) console.log(JSON.stringify(peers));
  else
    for (const { name, debian, build } of kinds) {
      const peer = peers[name];
      const how = debian.length > 0 ? ` (Debian: ${debian.join(' ')})` : build ? ` (${build})` : '';
      console.log(peer ? `${name}: ${peer.version}, ${peer.path}` : `${name}: not installed${how}`);
    }
}
