/**
 * Copies the history to a git remote, so that it can be read with plain git if the rack is down.
 *
 * Data that leaves the rack is encrypted, so the copy is a different repository: the same commits, with the contents as `devices/NAME.age`.
 * Each commit names the one that it copies (`Mirrors:`). So copying resumes where it stopped, whatever happened in between, even with
 * another rack's disk: a missing local copy is fetched from the remote.
 */
import { createWriteStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '@skolo/base/durable';
import { BackupError } from '@skolo/equipment/models/configuration';
import { digest, importCommits, type NewCommit } from '../../git/fast-import.ts';
import { git, startGit } from '../../git/git.ts';
import { removeLeftovers } from '../../git/leftovers.ts';
import { notRead, notStored } from '../../git/storage-error.ts';
import { privateTrailers } from '../../history/commit-message.ts';
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

/** Directory of the encrypted copy. */
export interface GitMirrorOptions extends Omit<RemoteOptions, 'branch'> {
  /** Directory of the history. */
  history: string;
  /** Branch of the remote; default `main`. */
  branch?: string;
  /** age recipients; `none` pushes the history itself. */
  recipients: readonly string[] | 'none';
  rack?: string;
}

const tip = `refs/heads/${branch}`;
const fetched = 'refs/mirror/fetched';
const copyMayTake = 600_000;

export class GitMirror {
  private readonly options: GitMirrorOptions;
  private readonly remote: GitRemote;

  /** @throws BackupError `rejected`: not a valid remote */
  constructor(options: GitMirrorOptions) {
    this.options = options;
    this.remote = new GitRemote({ branch: 'main', ...options });
  }

  /**
   * Pushes everything that the history has now. One call at a time.
   *
   * @throws BackupError `rejected`: the remote refuses; the message says what to do. `unreachable`; `storage` and `damaged` for local data
   */
  async push(signal: AbortSignal): Promise<void> {
    const { recipients, history } = this.options;
    const dir = recipients === 'none' ? history : await this.copy(recipients, signal);
    await this.remote.push(dir, branch, signal);
  }

  /** Returns the directory of the up-to-date copy. */
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
      throw notRead(`${folder}: the encrypted copy of the history cannot be updated`, error);
    }
  }

  /** The repository of the copy: the existing one, otherwise fetched from the remote, otherwise a new one. */
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

  /** A manual commit that changed several files becomes several commits here; all of them, or none. */
  private async append(
    dir: string,
    { id, committedAt, message, files }: CommittedFiles,
    encrypted: Encrypting,
    signal: AbortSignal,
  ): Promise<void> {
    const { folder, rack } = this.options;
    const about = { committedAt, author: authorOf(rack) };
    const shown = await sealed(message, encrypted);
    const commits: NewCommit[] = [];
    try {
      for (const [index, { path, blob }] of files.entries()) {
        const file = join(folder, `content-${index}.tmp`);
        await this.encrypt(blob, file, encrypted, signal);
        const content = { file, size: (await stat(file)).size };
        const stored = { path: `${path}.age`, content, digest: await digest(content) };
        commits.push({ ...about, message: shown, file: stored });
      }
      const last = commits.pop() ?? about;
      commits.push({ ...last, message: withTrailer(shown, `Mirrors: ${id}`) });
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
    // Output that is not read before the process exits is lost, and encryption starts later.
    const read = new PassThrough();
    const target = createWriteStream(file, { mode: 0o600 });
    await pipeline(source.stdout, read, encrypted, target);
    await source.ended;
  }
}

type Encrypting = ReturnType<typeof encryptTo>;

/** Encrypts the private trailers. `Mirrors` would otherwise be an ID that can be computed from guessed content. */
async function sealed(message: string, encrypted: Encrypting): Promise<string> {
  const text = `${message.trimEnd()}\n`;
  const [trailers] = privateTrailers.exec(text) ?? [];
  if (trailers === undefined) return text;
  const bytes = await buffer(encrypted(Readable.from([Buffer.from(trailers)])));
  return text.replace(privateTrailers, `Sealed: ${bytes.toString('base64')}\n`);
}

/**
 * The newest commit of the history that is in the copy. A history that was lost and restored lacks what was copied in between; the copy
 * continues after the newest common commit.
 */
async function newestShared(dir: string, history: string): Promise<string | undefined> {
  const [newest] = await mirroredBy(dir, tip, 1);
  if (newest === undefined || (await isIn(history, newest))) return newest;
  for (const id of await mirroredBy(dir, tip)) if (await isIn(history, id)) return id;
  return undefined;
}

/** The history's commits that the copy's commits mirror, newest first. */
async function mirroredBy(dir: string, from: string, limit?: number): Promise<string[]> {
  const format = '--format=%(trailers:key=Mirrors,valueonly)';
  const most = limit === undefined ? [] : [`--max-count=${limit}`];
  const said = (await git(['log', ...most, format, from, '--'], { dir })).toString();
  return said.split('\n').filter((line) => /^[0-9a-f]{40}$/.test(line));
}

/** Continues from what was fetched, if it is one of our copies. */
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
