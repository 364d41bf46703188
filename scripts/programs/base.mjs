/**
 * Decides which programs tests find: those of every Debian (`required`), git and Node. For any other program they ask `peer`
 * (scripts/peers.mjs), and it is in their PATH from then on (scripts/programs/asked.mjs). So a test that does not ask fails on every computer,
 * not only on a new one.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { findNode, root } from '../node.mjs';
import { which } from '../peers.mjs';

/** Where `nobody` can read it, too, as whom some tests run programs. */
const cache = ownFolder(join(tmpdir(), `skolo-programs-${process.getuid?.()}`));

/** @param {string} folder */
function ownFolder(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { uid, mode } = lstatSync(folder);
  // Somebody else may have made it, to have us run his programs.
  if (uid !== process.getuid?.() || (mode & 0o170022) !== constants.S_IFDIR) {
    throw new Error(`${folder} is not a folder that only you can write to; remove it`);
  }
  return folder;
}

/** Where Debian's packages have them. */
const debian = '/usr/bin:/usr/sbin:/bin:/sbin';

/** Besides Debian's `required` packages. */
const packages = ['git'];

/**
 * PATH with what each computer has, and the folders of this repository; undefined where there is no dpkg to say what that is.
 *
 * @param {string} [path]
 */
export function basePath(path = process.env.PATH ?? '') {
  const ours = path.split(delimiter).filter((folder) => folder.startsWith(root));
  const names = namesOfBase();
  if (names === undefined) return undefined;
  /** @type {Map<string, string>} */
  const programs = new Map([['node', findNode()]]);
  // dpkg does not list awk: it is an alternative.
  for (const name of [...names, 'awk', 'npm', 'npx']) {
    const program = which(name, debian) ?? which(name, path);
    if (program !== undefined) programs.set(name, program);
  }
  return [folderWith(programs), ...ours].join(delimiter);
}

function namesOfBase() {
  try {
    const list = dpkg(
      '-Wf',
      `\${Priority} \${Package}
`,
    );
    const required = list.flatMap((line) => /^required (.+)$/.exec(line)?.[1] ?? []);
    const files = dpkg('-L', ...required, ...packages.filter((name) => isListed(list, name)));
    return files.flatMap((file) => /^(?:\/usr)?\/s?bin\/([^/]+)$/.exec(file)?.[1] ?? []);
  } catch {
    return undefined;
  }
}

/**
 * @param {string[]} list
 * @param {string} name
 */
function isListed(list, name) {
  return list.some((line) => line.endsWith(` ${name}`));
}

/** @param {string[]} args */
function dpkg(...args) {
  return execFileSync('dpkg-query', args, { encoding: 'utf8', stdio: 'pipe' }).split('\n');
}

/**
 * A folder for PATH with links to these programs, by their names.
 *
 * @param {ReadonlyMap<string, string>} programs
 */
function folderWith(programs) {
  const hash = createHash('sha256')
    .update(JSON.stringify([...programs]))
    .digest('hex');
  const folder = join(cache, hash.slice(0, 16));
  if (existsSync(folder)) return folder;
  const partial = mkdtempSync(join(cache, 'partial-'));
  chmodSync(partial, 0o755);
  for (const [name, program] of programs) symlinkSync(program, join(partial, name));
  try {
    renameSync(partial, folder);
  } catch {
    // Another process was faster.
    rmSync(partial, { recursive: true });
  }
  return folder;
}

/** Whether it is the base, or that of a peer. @param {string} folder */
export function isMade(folder) {
  return folder.startsWith(cache);
}

/**
 * Adds to PATH what belongs to a peer, and returns the folder.
 * @param {import('../peers.mjs').Peer} peer
 */
export function addToPath({ path, others = [] }) {
  const folder = folderWith(
    // The first one of a name is in effect.
    new Map([path, ...others].toReversed().map((program) => [basename(program), program])),
  );
  const folders = (process.env.PATH ?? '').split(delimiter);
  if (!folders.includes(folder)) process.env.PATH = [...folders, folder].join(delimiter);
  return folder;
}
