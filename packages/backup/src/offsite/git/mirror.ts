/**
 * The history in a git remote, so that it is read with plain git when the rack is dead.
 *
 * What leaves the rack is encrypted, so it is another repository than the history: the same commits, with the contents as
 * `devices/NAME.age`. Each says of which commit it is the copy (`Mirrors:`), and so it goes on where it was, whatever
 * happened in between, and with another rack's disk, too: a copy that is missing here is fetched from the remote.
 */
import { createWriteStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '@skolo/durable';
import { BackupError } from '@skolo/models/configuration';
import { digest, importCommits, type NewCommit } from '../../git/fast-import.ts';
import { git, startGit } from '../../git/git.ts';
import { removeLeftovers } from '../../git/leftovers.ts';
import { notRead, notStored } from '../../git/storage-error.ts';
import type { CommittedFiles } from '../../history/commits.ts';
import {
  authorOf,
  branch,
  isThere,
  openFolder,
  setAside,
  syncCommits,
} from '../../history/folder.ts';
import { encryptTo } from '../age.ts';
import { commitsSince, isIn } from './mirrored-commits.ts';
import { GitRemote, type RemoteOptions } from './push.ts';

/** The encrypted copy is made in `folder`. */
export interface GitMirrorOptions extends Omit<RemoteOptions, 'branch'> {
  /** Folder of the history. */
  history: string;
  /** Of the remote; default `main`. */
  branch?: string;
  /** Of age; `none` pushes the history itself. */
  recipients: readonly string[] | 'none';
  rack?: string;
}

const tip = `refs/heads/${branch}`;
const fetched = 'refs/mirror/fetched';
const copyMayTake = 600_000;

export class GitMirror {
  private readonly options: GitMirrorOptions;
  private readonly remote: GitRemote;

  /** @throws BackupError `rejected`: it is no remote */
  constructor(options: GitMirrorOptions) {
    this.options = options;
    this.remote = new GitRemote({ branch: 'main', ...options });
  }

  /**
   * All that the history has now. One at a time.
   *
   * @throws BackupError `rejected`: the remote says no, and what to do. `unreachable`; `storage` and `damaged` of what is here
   */
  async push(signal: AbortSignal): Promise<void> {
    const { recipients, history } = this.options;
    const dir = recipients === 'none' ? history : await this.copy(recipients, signal);
    await this.remote.push(dir, branch, signal);
  }

  /** Gives the folder of the copy, up to date. */
  private async copy(recipients: readonly string[], signal: AbortSignal): Promise<string> {
    const { folder, history } = this.options;
    const encrypted = encryptTo(recipients);
    const dir = await this.open(signal);
    try {
      await removeLeftovers(dir);
      await removeTemps(folder);
      const since = await newestShared(dir, history);
      for await (const commit of commitsSince(history, since, signal)) {
        await this.append(dir, commit, encrypted, signal);
      }
      await syncCommits(dir);
      return dir;
    } catch (error) {
      signal.throwIfAborted();
      throw notRead(`${folder}: the encrypted copy of the history cannot be created`, error);
    }
  }

  /** The repository of the copy: as it is, else as the remote has it, else a new one. */
  private async open(signal: AbortSignal): Promise<string> {
    const { folder, rack } = this.options;
    const repository = join(folder, 'encrypted.git');
    try {
      await makeFolder(folder);
    } catch (error) {
      throw notStored(`${folder}: the encrypted copy of the history cannot be created`, error);
    }
    const isNew = !(await isThere(repository));
    let dir = await openFolder(repository, rack).catch(async (error: unknown) => {
      if (!(error instanceof BackupError) || error.code !== 'damaged') throw error;
      await setAside(repository);
      return undefined;
    });
    if (dir !== undefined && !isNew && (await mirroredBy(dir, tip, 1)).length > 0) return dir;
    dir ??= await openFolder(repository, rack);
    if (await this.remote.fetch(dir, fetched, signal)) await adopt(dir);
    return dir;
  }

  /** A commit that changed several files, made by hand, becomes several here; all of them, or none. */
  private async append(
    dir: string,
    { id, committedAt, message, files }: CommittedFiles,
    encrypted: Encrypting,
    signal: AbortSignal,
  ): Promise<void> {
    const { folder, rack } = this.options;
    const about = { committedAt, author: authorOf(rack) };
    const commits: NewCommit[] = [];
    try {
      for (const [index, { path, blob }] of files.entries()) {
        const file = join(folder, `content-${index}.tmp`);
        await this.encrypt(blob, file, encrypted, signal);
        const content = { file, size: (await stat(file)).size };
        const stored = { path: `${path}.age`, content, digest: await digest(content) };
        commits.push({ ...about, message, file: stored });
      }
      const last = commits.pop() ?? about;
      commits.push({ ...last, message: withTrailer(message, `Mirrors: ${id}`) });
      await importCommits(dir, { branch, parent: `${tip}^0`, commits });
    } finally {
      await removeTemps(folder);
    }
  }

  private async encrypt(blob: string, file: string, encrypted: Encrypting, signal: AbortSignal) {
    const source = startGit(['cat-file', 'blob', blob], {
      dir: this.options.history,
      signal,
      timeoutMs: copyMayTake,
    });
    source.stdin.end();
    // Output that is not read when the process ends is lost, and encrypting begins later.
    const read = new PassThrough();
    const target = createWriteStream(file, { mode: 0o600 });
    await pipeline(source.stdout, read, encrypted, target);
    await source.ended;
  }
}

type Encrypting = ReturnType<typeof encryptTo>;

/**
 * The newest commit of the history that the copy has. A history that was lost and restored lacks what was copied in
 * between; the copy goes on after what both have.
 */
async function newestShared(dir: string, history: string): Promise<string | undefined> {
  const [newest] = await mirroredBy(dir, tip, 1);
  if (newest === undefined || (await isIn(history, newest))) return newest;
  for (const id of await mirroredBy(dir, tip)) if (await isIn(history, id)) return id;
  return undefined;
}

/** The commits of the history that those of the copy are of, the newest first. */
async function mirroredBy(dir: string, from: string, limit?: number): Promise<string[]> {
  const format = '--format=%(trailers:key=Mirrors,valueonly)';
  const most = limit === undefined ? [] : [`--max-count=${limit}`];
  const said = (await git(['log', ...most, format, from, '--'], { dir })).toString();
  return said.split('\n').filter((line) => /^[0-9a-f]{40}$/.test(line));
}

/** Goes on with what was fetched, where it is a copy of ours. */
async function adopt(dir: string): Promise<void> {
  if ((await mirroredBy(dir, fetched, 1)).length > 0) {
    await git(['-c', 'core.fsync=all', 'update-ref', tip, fetched], { dir });
  }
  await git(['update-ref', '-d', fetched], { dir });
}

function withTrailer(message: string, trailer: string): string {
  const text = message.trimEnd();
  const last = text.split('\n\n').slice(1).at(-1) ?? '';
  const hasTrailers = last !== '' && last.split('\n').every((line) => /^[\w-]+: /.test(line));
  return `${text}${hasTrailers ? '\n' : '\n\n'}${trailer}\n`;
}

async function removeTemps(folder: string) {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.tmp')) await rm(join(folder, name), { force: true });
  }
}
