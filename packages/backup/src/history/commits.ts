/** Reads a git repository of configurations: `devices/NAME` on a branch, one commit for each version. */

import { createHash, type Hash } from 'node:crypto';
import { GitFailed, git, startGit } from '../git/git.ts';
import type { Version } from '../source.ts';
import { type Commit, versionOf } from './commit-message.ts';
import { folderOfDevices } from './device-file.ts';

/** What the history has of a device. */
export interface DeviceHistory {
  /** The blob that is now on the branch. */
  blob: string;
  newest: Version;
  count: number;
}

const format = '--format=%H%x00%ct%x00%B';
const aWalkMayTake = 900_000;

/** A commit, and the files that it changed. A removed file's blob is all zeros. */
export interface CommittedFiles extends Commit {
  files: { path: string; blob: string }[];
}

/**
 * Walks through commits in the order of `git log`.
 *
 * @param range arguments of `git log`: revisions and paths
 */
export async function* readCommits(
  dir: string,
  range: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<CommittedFiles> {
  signal?.throwIfAborted();
  const stopping = new AbortController();
  const either = signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal;
  const log = startGit(
    [
      'log',
      // A directory with another owner may have settings that run programs.
      '--no-show-signature',
      '-z',
      '--raw',
      '--no-abbrev',
      '--no-renames',
      '--no-ext-diff',
      format,
      ...range,
    ],
    { dir, signal: either, timeoutMs: signal ? Number.POSITIVE_INFINITY : aWalkMayTake },
  );
  log.stdin.end();
  const fields = zeroSeparated(log.stdout);
  try {
    let commit: CommittedFiles | undefined;
    for await (const field of fields) {
      const text = field.replace(/^\n/, '');
      if (text.startsWith(':')) {
        const [, , , blob = ''] = text.split(' ');
        commit?.files.push({ blob, path: String((await fields.next()).value ?? '') });
        continue;
      }
      if (commit) yield commit;
      commit = { ...(await readCommit(text, fields)), files: [] };
    }
    if (commit) yield commit;
    await log.ended;
  } finally {
    // A caller may stop reading early.
    stopping.abort();
  }
}

/** For every file in `devices/`: the number of versions, and the newest one. Reads each commit once. */
export async function readDevices(dir: string, tip: string): Promise<Map<string, DeviceHistory>> {
  const devices = new Map<string, DeviceHistory>();
  for await (const commit of readCommits(dir, [tip, '--', folderOfDevices])) {
    for (const { path, blob } of commit.files) {
      const name = path.slice(folderOfDevices.length);
      const known = devices.get(name);
      if (known) known.count += 1;
      else devices.set(name, { blob, newest: versionOf(commit, name), count: 1 });
    }
  }
  for (const [name, { blob }] of devices) if (/^0+$/.test(blob)) devices.delete(name);
  return devices;
}

/** The commits that changed one of the files, newest first. */
export async function readVersions(
  dir: string,
  wanted: { branch: string; paths: readonly string[]; device: string; limit?: number | undefined },
): Promise<Version[]> {
  const { branch, paths, device, limit } = wanted;
  const most = limit === undefined ? [] : [`--max-count=${limit}`];
  const versions: Version[] = [];
  for await (const commit of readCommits(dir, [...most, `refs/heads/${branch}`, '--', ...paths])) {
    versions.push(versionOf(commit, device));
  }
  return versions;
}

/** The commit that a branch is at. @throws GitFailed */
export async function readTip(dir: string, branch: string): Promise<string> {
  const name = `refs/heads/${branch}^{commit}`;
  return (await git(['rev-parse', '--verify', '--end-of-options', name], { dir }))
    .toString()
    .trim();
}

/** Names in `devices/`. @throws GitFailed */
export async function readNames(dir: string, branch: string): Promise<string[]> {
  const tree = `refs/heads/${branch}^{tree}`;
  const args = ['ls-tree', '-z', '--name-only', '--full-tree', tree, '--', folderOfDevices];
  const paths = (await git(args, { dir })).toString().split('\0');
  return paths.filter(Boolean).map((path) => path.slice(folderOfDevices.length));
}

/**
 * Streams a file of a commit: the first of these paths that exists. Empty if the commit or all paths are missing.
 *
 * @throws GitFailed
 */
export async function* readFile(
  dir: string,
  commit: string,
  paths: readonly string[],
): AsyncGenerator<{ path: string; chunk: Buffer }> {
  if (!/^[0-9a-f]{40}$/.test(commit)) return;
  const names = new Map(paths.map((path) => [`${commit}^{commit}:${path}`, path]));
  let found: string | undefined;
  for await (const { name, chunk } of readPieces(dir, [...names.keys()])) {
    found ??= name;
    const path = names.get(name);
    if (name === found && path !== undefined) yield { path, chunk };
  }
  if (found !== undefined) return;
  // git also reports unreadable objects as missing.
  const there = await findBlob(dir, commit, paths);
  if (there === undefined) return;
  yield { path: there.path, chunk: await git(['cat-file', 'blob', there.blob], { dir }) };
}

/** The state of one of the files in a commit; undefined if the commit or all paths are missing. @throws GitFailed */
async function findBlob(
  dir: string,
  commit: string,
  paths: readonly string[],
): Promise<{ blob: string; path: string } | undefined> {
  const args = ['ls-tree', '-z', '--full-tree', `${commit}^{commit}`, '--', ...paths];
  const tree = await git(args, { dir }).catch(async (error: unknown) => {
    if (error instanceof GitFailed && !(await isThere(dir, commit))) return '';
    throw error;
  });
  const { blob, path } =
    /^\d+ blob (?<blob>[0-9a-f]{40})\t(?<path>[^\0]+)/.exec(`${tree}`)?.groups ?? {};
  return blob === undefined || path === undefined ? undefined : { blob, path };
}

/** Whether git knows an object, even if it cannot read it. */
async function isThere(dir: string, id: string) {
  try {
    await git(['cat-file', '-t', id], { dir });
    return true;
  } catch (error) {
    return !(
      error instanceof GitFailed && /^fatal: .*could not get object info$/.test(error.stderr.trim())
    );
  }
}

/** Contents of blobs, from a single git process. Omits missing ones. @throws GitFailed */
export async function readBlobs(dir: string, ids: readonly string[]): Promise<Map<string, Buffer>> {
  const chunks = new Map<string, Buffer[]>();
  for await (const { name, chunk } of readPieces(dir, ids)) {
    const list = chunks.get(name) ?? [];
    list.push(chunk);
    chunks.set(name, list);
  }
  return new Map([...chunks].map(([id, list]) => [id, Buffer.concat(list)]));
}

/** Their SHA-1 hashes in hex, without keeping the contents. */
export async function sha1OfBlobs(
  dir: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const hashes = new Map<string, Hash>();
  for await (const { name, chunk } of readPieces(dir, ids, signal)) {
    const hash = hashes.get(name) ?? createHash('sha1');
    hashes.set(name, hash.update(chunk));
  }
  return new Map([...hashes].map(([id, hash]) => [id, hash.digest('hex')]));
}

/**
 * Streams each blob once, from a single git process. An empty blob yields one empty chunk, a missing one none.
 *
 * @param names ids, or `COMMIT:PATH`
 */
async function* readPieces(
  dir: string,
  names: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<{ name: string; chunk: Buffer }> {
  if (names.length === 0) return;
  const stopping = new AbortController();
  const either = signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal;
  const batch = startGit(['cat-file', '--batch'], { dir, signal: either, timeoutMs: aWalkMayTake });
  const asked = new Set(names);
  batch.stdin.end([...asked].map((name) => `${name}\n`).join(''));
  // git responds in the order of the requests.
  const answered = asked.values();
  let header = '';
  let name = '';
  /** Remaining bytes of the blob, and of the line end after it. */
  let left = 0;
  let isBlob = false;
  try {
    for await (const piece of batch.stdout) {
      for (let rest: Buffer = piece; rest.length > 0; ) {
        if (left === 0) {
          const end = rest.indexOf(10);
          header += rest.subarray(0, end === -1 ? rest.length : end).toString();
          rest = rest.subarray(end === -1 ? rest.length : end + 1);
          if (end === -1) continue;
          name = answered.next().value ?? '';
          const { type, size } =
            /^[0-9a-f]+ (?<type>[a-z]+) (?<size>\d+)$/.exec(header)?.groups ?? {};
          header = '';
          if (size === undefined) continue;
          // A path may name a directory, whose content is also sent.
          isBlob = type === 'blob';
          left = Number(size) + 1;
          if (isBlob && left === 1) yield { name, chunk: Buffer.alloc(0) };
        } else {
          const chunk = rest.subarray(0, Math.min(rest.length, left - 1));
          if (isBlob && chunk.length > 0) yield { name, chunk };
          const used = left <= rest.length ? left : rest.length;
          left -= used;
          rest = rest.subarray(used);
        }
      }
    }
    await batch.ended;
  } finally {
    // A caller may stop reading early.
    stopping.abort();
  }
}

async function readCommit(id: string, fields: AsyncGenerator<string>): Promise<Commit> {
  const committedAt = Number((await fields.next()).value);
  const message = String((await fields.next()).value ?? '');
  return { id, committedAt, message };
}

/** What `-z` separates. */
async function* zeroSeparated(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString();
      rest = [];
      start = end + 1;
    }
    rest.push(chunk.subarray(start));
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield last.toString();
}
