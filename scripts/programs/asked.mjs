/**
 * A vitest setup file: tests find in PATH what each computer has (scripts/programs/base.mjs) and the programs that they have asked `peer` for. It
 * rejects other installed programs, also by absolute path, and records in the file's `meta` what it asked for.
 */
import childProcess, { ChildProcess } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { readdirSync, realpathSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, TestRunner } from 'vitest';
import { root } from '../node.mjs';
import { which } from '../peers.mjs';
import { addToPath, isMade } from './base.mjs';

/** @typedef {import('vitest').TaskMeta & { peers?: Record<string, boolean> }} FileMeta `peers`: whether each is installed */
/** @typedef {{ name: string, peer: import('../peers.mjs').Peer | undefined }} Asked */
/** @typedef {{ file: string, envPairs?: string[], cwd?: string | URL }} SpawnOptions of Node's internal spawn */
/** @typedef {import('node:child_process').SpawnSyncOptions} SyncOptions */

const systemFolders = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];
/** Their PATH is for the computer or container that they enter. */
const elsewhere = ['nsenter', 'chroot'];
const howToAsk = 'ask `peer`, `lacks` or `needs` for it, by its name in scripts/peers.mjs';

/** What tests may start. */
class Programs {
  /** Where programs would be found otherwise. */
  systemPath;
  /** @type {FileMeta} */
  meta = {};
  /** The first: what follows was asked for by the package's global setup. */
  base = foldersIn(process.env.PATH).filter(isMade).slice(0, 1);
  /** @type {Set<string>} */
  asked = new Set();
  /** Folders of peers, such as /usr/lib/frr. @type {Set<string>} */
  own = new Set();
  /** Installed programs that a test did not find. @type {Set<string>} */
  unasked = new Set();

  /** @param {string} systemPath */
  constructor(systemPath) {
    this.systemPath = systemPath;
  }

  /** A process may run several files. @param {FileMeta | undefined} meta */
  startFile(meta = {}) {
    this.meta = meta;
    this.asked.clear();
    this.own.clear();
    const folders = foldersIn(process.env.PATH);
    const left = folders.filter((folder) => !isMade(folder) || this.base.includes(folder));
    process.env.PATH = left.join(delimiter);
  }

  /** @param {Asked} asked */
  add({ name, peer }) {
    this.meta.peers = { ...this.meta.peers, [name]: peer !== undefined };
    if (peer === undefined) return;
    this.asked.add(addToPath(peer));
    if (!systemFolders.includes(dirname(peer.path))) this.own.add(realpathSync(dirname(peer.path)));
  }

  /** @param {{ message: string }[]} [errors] */
  explain(errors) {
    const [error] = errors ?? [];
    if (error === undefined || this.unasked.size === 0) return;
    const names = [...this.unasked].join(', ');
    error.message += `\n(${names}: installed, but the test did not ask for it; ${howToAsk})`;
  }

  /**
   * The PATH that a program gets: its folders of the system are those of the test.
   *
   * @param {string} file of the program
   * @param {{ path: string | undefined, cwd: string }} where
   * @throws {Error} The program was not asked for
   */
  check(file, { path = '', cwd }) {
    const folders = foldersIn(path);
    const others = folders.filter((folder) => !systemFolders.includes(folder));
    const isUnchanged = others.length === folders.length || elsewhere.includes(basename(file));
    const narrowed = isUnchanged
      ? path
      : [...new Set([...others, ...this.folders()])].join(delimiter);
    const found = which(file.includes('/') ? resolve(cwd, file) : file, narrowed);
    if (found !== undefined && !this.isAllowed(realpathSync(found))) {
      throw new Error(`${found}: the test did not ask for it; ${howToAsk}`);
    }
    if (found === undefined && which(file, this.systemPath)) this.unasked.add(file);
    return narrowed;
  }

  folders() {
    return [...this.base, ...this.asked];
  }

  /** @param {string} file */
  isAllowed(file) {
    if (!/^\/(usr|bin|sbin|lib|opt)\//.test(file) || file.startsWith(root)) return true;
    return (
      this.own.has(dirname(file)) || this.folders().some((folder) => programsIn(folder).has(file))
    );
  }
}

/** @param {string | undefined} path */
function foldersIn(path = '') {
  return path.split(delimiter);
}

/** @type {Map<string, Set<string>>} */
const programs = new Map();
/** @param {string} folder that scripts/programs/base.mjs has made */
function programsIn(folder) {
  const found =
    programs.get(folder) ??
    new Set(readdirSync(folder).map((name) => realpathSync(join(folder, name))));
  programs.set(folder, found);
  return found;
}

/** Checks each program before this process starts it. @param {Programs} allowed */
function hookStarts(allowed) {
  const prototype = /** @type {{ spawn(options: SpawnOptions): unknown }} */ (
    /** @type {unknown} */ (ChildProcess.prototype)
  );
  const { spawn } = prototype;
  prototype.spawn = function (options) {
    const { file, envPairs = [], cwd = process.cwd() } = options;
    const i = envPairs.findIndex((pair) => pair.startsWith('PATH='));
    const path = allowed.check(file, {
      path: envPairs[i]?.slice('PATH='.length),
      cwd: String(cwd),
    });
    if (i >= 0) envPairs[i] = `PATH=${path}`;
    return spawn.call(this, options);
  };
  for (const name of /** @type {const} */ (['spawnSync', 'execFileSync', 'execSync'])) {
    const original = /** @type {(...args: unknown[]) => unknown} */ (childProcess[name]);
    /** @param {unknown[]} args */
    const hooked = (...args) => {
      const at = args.findIndex(
        (arg, i) => i > 0 && typeof arg === 'object' && !Array.isArray(arg),
      );
      const options = /** @type {SyncOptions} */ (args[at] ?? {});
      const { shell, cwd = process.cwd(), env = process.env } = options;
      const file = name === 'execSync' || shell ? '/bin/sh' : String(args[0]);
      const path = allowed.check(file, { path: env.PATH, cwd: String(cwd) });
      if (env.PATH === undefined || path === env.PATH) return original(...args);
      const changed = { ...options, env: { ...env, PATH: path } };
      return original(...(at < 0 ? [...args, changed] : args.with(at, changed)));
    };
    Object.assign(childProcess, { [name]: hooked });
  }
  syncBuiltinESMExports();
}

const shared = /** @type {{ skoloPrograms?: Programs }} */ (globalThis);
// Without it, there is no dpkg to say what each computer has.
if (process.env.SKOLO_SYSTEM_PATH !== undefined) {
  if (shared.skoloPrograms === undefined) {
    const made = new Programs(process.env.SKOLO_SYSTEM_PATH);
    shared.skoloPrograms = made;
    channel('skolo.peer').subscribe((message) => made.add(/** @type {Asked} */ (message)));
    hookStarts(made);
  }
  const all = shared.skoloPrograms;
  all.startFile(TestRunner.getCurrentSuite().file?.meta);
  beforeEach(() => all.unasked.clear());
  afterEach(({ task }) => all.explain(task.result?.errors));
}
