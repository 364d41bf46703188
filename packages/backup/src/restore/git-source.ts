/** Reads versions from a git repository elsewhere: a clone on a workstation, a remote, the history of a dead rack. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackupError } from '@skolo/equipment/models/configuration';
import { GitFailed, git, startGit } from '../git/git.ts';
import { inWords, notRead } from '../git/storage-error.ts';
import { readTip } from '../history/commits.ts';
import { encrypted } from '../history/device-file.ts';
import { isHistory, isThere } from '../history/folder.ts';
import { HistoryReader } from '../history/reader.ts';
import { shownRemote } from '../offsite/git/remote.ts';
import type { BackupSource } from '../source.ts';
import { admitCopy, type Trust } from './trust.ts';

interface GitSourceOptions {
  /** Default: `main`, otherwise the branch of HEAD. */
  branch?: string | undefined;
  /** Decrypts `NAME.age`. @throws BackupError `no-key` */
  decrypt?: (content: Buffer) => Promise<Buffer>;
  /** Commits are never authenticated. */
  trust?: Trust;
  signal?: AbortSignal | undefined;
}

/**
 * A directory is read in place and not changed. A remote is cloned to a temporary directory, which `close` removes, with the user's own
 * configuration and keys.
 *
 * @throws BackupError `not-found`: there is no repository, or no such branch. `unreachable`, `rejected`, `damaged`, `storage`
 */
export async function openGitSource(
  from: string,
  { branch, decrypt, trust = {}, signal }: GitSourceOptions = {},
): Promise<BackupSource> {
  const place = shownRemote(from);
  const local = isRemote(from) ? undefined : await localRepository(from);
  const temp = local === undefined ? await mkdtemp(join(tmpdir(), 'skolo-clone-')) : undefined;
  async function removeTemp() {
    if (temp !== undefined) await rm(temp, { recursive: true, force: true });
  }
  try {
    if (temp !== undefined) await clone(from, temp, signal);
    const dir = local ?? temp ?? '';
    // The rack's own repository, which was set aside, is not encrypted.
    const isOwn =
      local !== undefined && (await isHistory(local)) && !(await isAt(local, trust.remote));
    const facts = { what: place, isArchive: false, match: 'verified' } as const;
    const admit = (path: string, id: string) => {
      const isEncrypted = isOwn || encrypted.test(path);
      admitCopy({ ...facts, id, isEncrypted }, trust);
    };
    const opened = { dir, branch: await branchOf(dir, branch, place), decrypt, admit };
    const reader = new HistoryReader({ ...opened, place });
    return {
      repository: opened,
      devices: () => reader.devices(),
      versions: (device, options) => reader.versions(device, options),
      content: (version) => reader.content(version),
      close: removeTemp,
    };
  } catch (error) {
    await removeTemp();
    throw error;
  }
}

/** `https://…`, `git@…:…`; not `file://…`. */
export function isRemote(from: string): boolean {
  return !from.startsWith('file://') && /^[\w.+-]+:\/\/|^[^/]+:(?!\/\/)/.test(from);
}

async function localRepository(from: string): Promise<string> {
  const dir = await findGitDir(from.startsWith('file://') ? fileURLToPath(from) : from);
  if (dir !== undefined) return dir;
  throw new BackupError('not-found', `${from}: not a git repository`);
}

async function isAt(dir: string, remote: string | undefined): Promise<boolean> {
  if (remote === undefined || isRemote(remote)) return false;
  const theirs = await localRepository(remote).then(realpath, () => undefined);
  return theirs === (await realpath(dir));
}

/** The git repository in a directory: the directory itself, or `.git` in it; undefined if there is none. */
export async function findGitDir(folder: string): Promise<string | undefined> {
  for (const dir of [folder, join(folder, '.git')]) {
    if ((await isThere(join(dir, 'HEAD'))) && (await isThere(join(dir, 'objects')))) return dir;
  }
  return undefined;
}

async function clone(url: string, target: string, signal: AbortSignal | undefined) {
  const process = startGit(['clone', '--quiet', '--bare', '--no-tags', '--', url, target], {
    timeoutMs: Number.POSITIVE_INFINITY,
    signal,
    asUser: true,
  });
  process.stdin.end();
  process.stdout.resume();
  try {
    await process.ended;
  } catch (error) {
    if (signal?.aborted || !(error instanceof GitFailed)) throw error;
    throw notCloned(url, error);
  }
}

const rejections =
  /Permission denied|Authentication failed|Host key verification failed|could not read (?:Username|Password)|HTTP 40[13]|returned error: 40[13]|not allowed/i;
const absences =
  /not found|does not (?:appear to be a git repository|exist)|no such repository|HTTP 404|returned error: 404/i;

function notCloned(url: string, error: GitFailed) {
  const said = shownRemote(error.stderr.trim() || inWords(error));
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  // A host name that does not resolve is also "not found".
  const isHost = /resolve host|Name or service not known|No route to host/i.test(said);
  const code = isHost
    ? 'unreachable'
    : rejections.test(said)
      ? 'rejected'
      : absences.test(said)
        ? 'not-found'
        : 'unreachable';
  return new BackupError(
    code,
    `${shownRemote(url)} cannot be cloned: ${lines.slice(0, 3).join('; ')}`,
    { cause: error },
  );
}

async function branchOf(dir: string, wanted: string | undefined, place: string): Promise<string> {
  const head = await git(['symbolic-ref', '--short', 'HEAD'], { dir }).catch(() => '');
  const ofHead = head.toString().trim();
  const candidates = wanted === undefined ? ['main', ...(ofHead ? [ofHead] : [])] : [wanted];
  for (const branch of candidates) {
    try {
      await git(['rev-parse', '--verify', '--end-of-options', `refs/heads/${branch}`], { dir });
    } catch (error) {
      const isBroken = await isThere(join(dir, 'refs', 'heads', branch));
      if (!(error instanceof GitFailed) || isBroken)
        throw notRead(`${place} cannot be read`, error);
      continue;
    }
    await readTip(dir, branch).catch((error: unknown) => {
      throw notRead(`${place} cannot be read`, error);
    });
    return branch;
  }
  throw new BackupError('not-found', `${place}: no branch ${candidates.join(' or ')}`);
}
