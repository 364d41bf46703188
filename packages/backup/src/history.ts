/** Reads what is in a git repository of configurations: `devices/NAME` on a branch, one commit for each version. */

import { type Commit, versionOf } from './commit-message.ts';
import { BackupError } from './errors.ts';
import { GitFailed, type GitOptions, git, startGit } from './git.ts';
import type { Version } from './source.ts';

export const folderOfDevices = 'devices/';

/** What the history has of a device. */
export interface DeviceHistory {
  /** Of the blob that the branch has now. */
  blob: string;
  newest: Version;
  count: number;
}

const format = '--format=%H%x00%ct%x00%B';
const aWalkMayTake = 900_000;

/** Of every file in `devices/`: how many versions, and which is the newest. Reads each commit once. */
export async function readDevices(
  dir: string,
  tip: string,
  options: Omit<GitOptions, 'dir'> = {},
): Promise<Map<string, DeviceHistory>> {
  const devices = new Map<string, DeviceHistory>();
  const log = startGit(
    [
      'log',
      '-z',
      '--raw',
      '--no-abbrev',
      '--no-renames',
      '--no-ext-diff',
      format,
      tip,
      '--',
      folderOfDevices,
    ],
    { timeoutMs: aWalkMayTake, ...options, dir },
  );
  log.stdin.end();
  let commit: Commit | undefined;
  const fields = zeroSeparated(log.stdout);
  for await (const field of fields) {
    const text = field.replace(/^\n/, '');
    if (!text.startsWith(':')) {
      commit = await readCommit(text, fields);
      continue;
    }
    const blob = text.split(' ')[3] ?? '';
    const path = (await fields.next()).value ?? '';
    const name = path.slice(folderOfDevices.length);
    const known = devices.get(name);
    if (known) known.count += 1;
    else if (commit) devices.set(name, { blob, newest: versionOf(commit, name), count: 1 });
  }
  await log.ended;
  for (const [name, { blob }] of devices) if (/^0+$/.test(blob)) devices.delete(name);
  return devices;
}

/** The commits that changed a file, the newest first. */
export async function readVersions(
  dir: string,
  {
    tip,
    path,
    device,
    limit,
  }: { tip: string; path: string; device: string; limit?: number | undefined },
  options: Omit<GitOptions, 'dir'> = {},
): Promise<Version[]> {
  const log = startGit(
    [
      'log',
      '-z',
      ...(limit === undefined ? [] : [`--max-count=${limit}`]),
      format,
      tip,
      '--',
      path,
    ],
    { timeoutMs: aWalkMayTake, ...options, dir },
  );
  log.stdin.end();
  const versions: Version[] = [];
  const fields = zeroSeparated(log.stdout);
  for await (const field of fields) {
    versions.push(versionOf(await readCommit(field, fields), device));
  }
  await log.ended;
  return versions;
}

/** The commit that a branch is at. @throws GitFailed */
export async function readTip(dir: string, branch: string): Promise<string> {
  const name = `refs/heads/${branch}^{commit}`;
  return (await git(['rev-parse', '--verify', '--end-of-options', name], { dir }))
    .toString()
    .trim();
}

/**
 * The blob that a file was in a commit.
 *
 * @throws BackupError `not-found`
 */
export async function readBlobId(dir: string, commit: string, path: string): Promise<string> {
  if (!/^[0-9a-f]{40}$/.test(commit)) throw noSuchVersion(commit, path);
  const tree = await git(['ls-tree', '-z', '--full-tree', commit, '--', path], { dir }).catch(
    (error: unknown) => {
      const isUnknown =
        error instanceof GitFailed && /not a tree object|not a valid object/i.test(error.stderr);
      throw isUnknown ? noSuchVersion(commit, path) : error;
    },
  );
  const blob = /^\d+ blob (?<id>[0-9a-f]{40})\t/.exec(tree.toString())?.groups?.id;
  if (blob === undefined) throw noSuchVersion(commit, path);
  return blob;
}

function noSuchVersion(commit: string, path: string) {
  return new BackupError('not-found', `there is no version ${commit.slice(0, 40)} of ${path}`);
}

async function readCommit(id: string, fields: AsyncGenerator<string>): Promise<Commit> {
  const committedAt = Number((await fields.next()).value);
  const message = String((await fields.next()).value ?? '');
  return { id, committedAt, message };
}

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
