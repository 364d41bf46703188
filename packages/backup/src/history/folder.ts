/** The directory of a history: created atomically, synced, and set aside if damaged. */
import { constants } from 'node:fs';
import {
  access,
  chmod,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, ifThere } from '@skolo/base';
import { makeFolder, syncFolder } from '@skolo/base/durable';
import { BackupError } from '@skolo/equipment/models/configuration';
import { importCommits } from '../git/fast-import.ts';
import { checkGit, git } from '../git/git.ts';
import { isLeftAlone } from '../git/leftovers.ts';
import { inWords } from '../git/storage-error.ts';
import { commitMessage } from './commit-message.ts';

export const branch = 'main';
/** What HEAD says. */
export const headText = `ref: refs/heads/${branch}`;
/** Also for operators who work in it: nothing is packed or removed automatically, and everything written is synced. */
export const settingsText = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	fsync = all
	fsyncMethod = fsync
[gc]
	auto = 0
[maintenance]
	auto = false
[receive]
	autogc = false
`;

/** The committer in `git log`. */
export function authorOf(rack: string | undefined) {
  return { name: 'router-backup', email: `router-backup@${rack ?? 'skolo'}` };
}

/**
 * The directory's real path. Creates it with a first commit if it is missing or empty, so that a lost branch is recognised as damage.
 *
 * @param mayBegin false: a missing or empty directory is an error
 * @throws BackupError `not-found`: the history does not exist, and none may be created. `damaged`, `storage`
 */
export async function openFolder(
  folder: string,
  rack: string | undefined,
  { mayBegin = true }: { mayBegin?: boolean } = {},
): Promise<string> {
  await checkGit();
  await storing(`${folder}: the history cannot be created`, async () => {
    if (!(await isMissingOrEmpty(folder))) return;
    await undoHalfReplacement(folder);
    if (!(await isMissingOrEmpty(folder))) return;
    if (!mayBegin) throw new BackupError('not-found', `${folder}: the history does not exist`);
    await create(folder, rack);
  });
  let head: string;
  try {
    head = await readFile(join(folder, 'HEAD'), 'utf8');
  } catch (error) {
    const code = errorCode(error) === 'ENOENT' ? 'damaged' : 'storage';
    const why = code === 'damaged' ? 'not a git repository: HEAD is missing' : inWords(error);
    throw new BackupError(code, `${folder}: ${why}`, { cause: error });
  }
  if (head.trim() !== headText) {
    throw new BackupError('damaged', `${folder}: HEAD does not point to the branch ${branch}`);
  }
  return await realpath(folder);
}

/**
 * Renames a damaged history to `FOLDER.broken-TIME`, so that a new one can begin. Returns the new name.
 *
 * @throws BackupError `storage`
 */
export async function setAside(folder: string): Promise<string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return await storing(`${folder} cannot be set aside`, async () => {
    for (let number = 1; ; number += 1) {
      const name = `${folder.replace(/\/+$/, '')}.broken-${time}${number === 1 ? '' : `-${number}`}`;
      if (!(await isMissingOrEmpty(name))) continue;
      await rename(folder, name);
      await syncFolder(dirname(folder));
      return name;
    }
  });
}

/**
 * Replaces one history with another, and removes the old one. Neither may be open. If the process is killed, one of them is in place.
 *
 * @throws BackupError `storage`
 */
export async function replaceHistory(folder: string, by: string): Promise<void> {
  try {
    await storing(`${folder} cannot be replaced`, async () => {
      await syncAll(by);
      await rename(folder, replacedBy(folder));
      await rename(by, folder);
      await syncFolder(dirname(folder));
      await rm(replacedBy(folder), { recursive: true, force: true });
    });
  } catch (error) {
    await undoHalfReplacement(folder).catch(() => undefined);
    throw error;
  }
}

async function storing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw new BackupError('storage', `${what}: ${inWords(error)}`, { cause: error });
  }
}

/** Restores a history that was moved away without a replacement. */
async function undoHalfReplacement(folder: string): Promise<void> {
  const previous = replacedBy(folder);
  if ((await isMissingOrEmpty(previous)) || !(await isMissingOrEmpty(folder))) return;
  await rm(folder, { recursive: true, force: true });
  await rename(previous, folder);
  await syncFolder(dirname(folder));
}

function replacedBy(folder: string): string {
  return join(dirname(folder), `.${basename(folder)}.previous`);
}

/**
 * Why this user may not read all of it, which git reports as damage; undefined if there is no reason.
 *
 * @returns BackupError `storage`
 */
export async function findUnreadable(dir: string): Promise<BackupError | undefined> {
  for (const folder of ['.', 'refs', 'refs/heads', 'objects', 'objects/pack']) {
    let path = join(dir, folder);
    try {
      for (const entry of await readdir(path, { withFileTypes: true })) {
        path = join(dir, folder, entry.name);
        if (entry.isFile()) await access(path, constants.R_OK);
      }
    } catch (error) {
      if (errorCode(error) === 'ENOENT') continue;
      return new BackupError('storage', `${path}: ${inWords(error)}`, { cause: error });
    }
  }
  return undefined;
}

/** Syncs git's renames; git itself only syncs file contents. */
export async function syncCommits(dir: string): Promise<void> {
  for (const folder of ['objects/pack', 'refs/heads']) await syncFolder(join(dir, folder));
}

async function create(folder: string, rack: string | undefined) {
  // Next to it, always with the same name, so that the work of a killed process is started again.
  await makeFolder(dirname(folder));
  const dir = join(await realpath(dirname(folder)), `.${basename(folder)}.new`);
  if (!(await isLeftAlone(dir))) throw new Error('another git process is creating it');
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { mode: 0o700 });
  await chmod(dir, 0o700);
  const init = ['init', '--quiet', '--bare', '--template=', '--object-format=sha1'];
  // The settings below are for a history with refs in files, whatever default a newer git has.
  const env = { GIT_DEFAULT_REF_FORMAT: 'files' };
  await git([...init, `--initial-branch=${branch}`], { dir, env });
  await writeFile(join(dir, 'config'), settingsText);
  const message = commitMessage(
    `history of ${rack ?? 'the rack'} begins`,
    rack === undefined ? {} : { rack },
  );
  const begin = { message, committedAt: Date.now() / 1000, author: authorOf(rack) };
  await importCommits(dir, { branch, commits: [begin] });
  await syncAll(dir);
  await rename(dir, folder);
  await syncFolder(dirname(folder));
}

export async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** Reports whether a repository was created as a history: a push to a remote does not change its settings. */
export async function isHistory(dir: string): Promise<boolean> {
  const settings = await readFile(join(dir, 'config'), 'utf8').catch(() => '');
  return settingsText.split('\n').every((line) => settings.includes(line));
}

async function isMissingOrEmpty(folder: string) {
  return ((await ifThere(readdir(folder))) ?? []).length === 0;
}

async function syncAll(folder: string) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncAll(path);
    else await syncFolder(path);
  }
  await syncFolder(folder);
}
