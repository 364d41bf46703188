/**
 * Rebuilds a history from an off-site copy, and merges it with what was stored since it was lost.
 *
 * From git, commits keep their ids, so that remotes and off-site locations continue where they stopped. Commits of an encrypted copy name
 * the ones that they mirror.
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, tempFolder, withoutName } from '@skolo/base';
import { BackupError } from '@skolo/equipment/models/configuration';
import { digest, durable, importCommits, type NewCommit } from '../git/fast-import.ts';
import { git } from '../git/git.ts';
import { notRead, notStored } from '../git/storage-error.ts';
import { trailersOf } from '../history/commit-message.ts';
import { type CommittedFiles, readBlobs, readNames, readTip } from '../history/commits.ts';
import { folderOfDevices, encrypted as inAge } from '../history/device-file.ts';
import { authorOf, branch, openFolder, syncCommits } from '../history/folder.ts';
import { Repository } from '../history/repository.ts';
import { commitsSince } from '../offsite/git/mirrored-commits.ts';
import type { BackupSource, Version } from '../source.ts';

/** A version that is in a copy but cannot be read from it. */
interface UnreadableVersion {
  device: string;
  id: string;
  why: string;
}

interface RebuildOptions {
  rack?: string | undefined;
  /** Devices in an object store that have no history. */
  without?: ReadonlySet<string>;
  signal: AbortSignal;
}

/** Number of objects to read in parallel. */
const together = 16;
const rebuilt = 'rebuilt';

/**
 * Builds the history in a new directory. Omits and returns versions that cannot be read.
 *
 * @throws BackupError `no-key`, `damaged`, `storage`; `not-found`: the copy does not contain any versions
 */
export async function rebuildHistory(
  source: BackupSource,
  folder: string,
  options: RebuildOptions,
): Promise<UnreadableVersion[]> {
  const { repository } = source;
  if (repository === undefined) return await fromObjects(source, folder, options);
  const { dir, branch: theirs } = repository;
  try {
    const names = await readNames(dir, theirs);
    if (names.length === 0)
      throw new BackupError('not-found', 'the copy does not contain any versions');
    // The ID of its newest commit binds the whole history.
    const tip = await readTip(dir, theirs);
    const admit = (path: string) => repository.admit(path, tip);
    if (names.some((name) => inAge.test(name)))
      return await decrypted({ ...repository, admit }, folder, options);
    names.forEach(admit);
    await fetched(folder, { from: dir, theirs, rack: options.rack, signal: options.signal });
  } catch (error) {
    throw notRead(`${folder}: the history cannot be rebuilt`, error);
  }
  return [];
}

/** Writes all of a history to one file. @throws BackupError */
export async function writeBundle(folder: string, file: string): Promise<void> {
  try {
    await git(['bundle', 'create', '--quiet', '--version=2', file, branch], { dir: folder });
  } catch (error) {
    throw notStored(`${file} cannot be written`, error);
  }
}

/** Creates a history from such a file, in a new directory. @throws BackupError `damaged`, `storage` */
export async function openBundle(
  file: string,
  folder: string,
  { rack, signal }: Pick<RebuildOptions, 'rack' | 'signal'>,
): Promise<Repository> {
  try {
    await stat(file);
    await fetched(folder, { from: file, theirs: branch, signal, rack });
  } catch (error) {
    throw notRead(`${file}: a history cannot be created from this file`, error);
  }
  return await Repository.open(folder, { rack, mayBegin: false });
}

/**
 * Appends the versions that only the first history has to the other, in the order in which they were read. A device's newest version in the
 * first history is then also its newest in the other.
 *
 * @returns ids in the first history, mapped to those of the same versions in the other
 * @throws BackupError
 */
export async function appendMissing(
  from: Repository,
  to: Repository,
  rack: string,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const missing: Version[] = [];
  for (const device of await from.devices()) {
    const there = await to.versions(device);
    const known = new Map(there.map((version) => [keyOf(version), version]));
    const contents = new Map(there.map((version) => [version.sha1, version]));
    // Newest first: after a known version, a known content need not be stored twice.
    let isBehind = false;
    for (const version of await from.versions(device)) {
      const same = known.get(keyOf(version)) ?? (isBehind && contents.get(version.sha1));
      if (same) ids.set(version.id, same.id);
      else missing.push(version);
      isBehind ||= known.has(keyOf(version));
    }
  }
  for (const version of missing.sort(oldestFirst)) {
    const content = { bytes: await from.content(version) };
    const stored = await to.commit({ ...changeOf(version, rack), content });
    ids.set(version.id, stored.id);
  }
  for (const device of await from.devices()) {
    const [mine, theirs] = [await from.newest(device), await to.newest(device)];
    if (mine === undefined || mine.sha1 === theirs?.sha1) continue;
    const content = { bytes: await from.content(mine) };
    const stored = await to.commit({ ...changeOf(mine, rack), content });
    ids.set(mine.id, stored.id);
  }
  return ids;
}

/** The same version has the same time and content everywhere. */
function keyOf({ time, sha1 }: Version): string {
  return `${Date.parse(time)} ${sha1}`;
}

/** Their commits, unchanged. */
async function fetched(
  folder: string,
  options: { from: string; theirs: string; rack: string | undefined; signal: AbortSignal },
) {
  const { from, theirs, rack, signal } = options;
  await rm(folder, { recursive: true, force: true });
  const dir = await openFolder(folder, rack);
  const settings = [...durable, '-c', 'fetch.unpackLimit=1', '-c', 'fetch.fsckObjects=true'];
  const refs = `+refs/heads/${theirs}:refs/heads/${branch}`;
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-gc'];
  await git([...settings, ...args, '--', from, refs], {
    dir,
    signal,
    timeoutMs: Number.POSITIVE_INFINITY,
    env: { GIT_ALLOW_PROTOCOL: 'file' },
  });
  await syncCommits(dir);
}

/** Their commits with decrypted contents, under the ids of the commits that they mirror. */
async function decrypted(
  theirs: NonNullable<BackupSource['repository']>,
  folder: string,
  { rack, signal }: RebuildOptions,
): Promise<UnreadableVersion[]> {
  await rm(folder, { recursive: true, force: true });
  const dir = await openFolder(folder, rack);
  const unreadable: UnreadableVersion[] = [];
  let parent: string | undefined;
  for await (const commit of commitsSince(theirs.dir, undefined, signal, theirs.branch)) {
    if (!mirrors.test(commit.message) && commit.files.length === 0) continue;
    const commits = await originalOf(commit, theirs, unreadable);
    parent = (await importCommits(dir, { branch: rebuilt, parent, commits })).at(-1);
  }
  if (parent === undefined)
    throw new BackupError('not-found', 'the copy does not contain any versions');
  await git([...durable, 'update-ref', `refs/heads/${branch}`, parent], { dir });
  await git([...durable, 'update-ref', '-d', `refs/heads/${rebuilt}`], { dir });
  await syncCommits(dir);
  return unreadable;
}

const mirrors = /\n+Mirrors: [0-9a-f]{40}\n*$/;

async function originalOf(
  { id, committedAt, message, files }: CommittedFiles,
  { dir, decrypt, admit }: NonNullable<BackupSource['repository']>,
  unreadable: UnreadableVersion[],
): Promise<NewCommit[]> {
  const sealed = trailersOf(message).get('Sealed');
  const commit = `commit ${id.slice(0, 10)}`;
  const said = sealed && (await opened(Buffer.from(sealed, 'base64'), commit, decrypt));
  const original = message.replace(mirrors, '').replace(`Sealed: ${sealed}`, () => `${said}`);
  const about = {
    message: `${original.trimEnd()}\n`,
    committedAt,
    author: authorOf(/^Rack: (\S+)$/m.exec(message)?.[1]),
  };
  const commits: NewCommit[] = [];
  for (const { path, blob } of files) {
    try {
      admit(path, id);
    } catch (error) {
      const device = path.slice(folderOfDevices.length).replace(inAge, '');
      unreadable.push({ device, id, why: errorText(error) });
      continue;
    }
    const stored = (await readBlobs(dir, [blob])).get(blob);
    if (stored === undefined) {
      throw new BackupError(
        'damaged',
        `the content of ${path} in commit ${id.slice(0, 10)} is missing`,
      );
    }
    const bytes = inAge.test(path) ? await opened(stored, path, decrypt) : stored;
    const name = path.slice(folderOfDevices.length).replace(inAge, '');
    const file = { path: folderOfDevices + name, content: { bytes } };
    commits.push({ ...about, file: { ...file, digest: await digest(file.content) } });
  }
  return commits.length > 0 ? commits : [about];
}

async function opened(
  content: Buffer,
  path: string,
  decrypt: ((content: Buffer) => Promise<Buffer>) | undefined,
): Promise<Buffer> {
  if (decrypt) return await decrypt(content);
  throw new BackupError(
    'no-key',
    `${path} is encrypted; specify the matching identity with --identity`,
  );
}

async function fromObjects(
  source: BackupSource,
  folder: string,
  { rack, without, signal }: RebuildOptions,
): Promise<UnreadableVersion[]> {
  const versions: Version[] = [];
  for (const device of await source.devices()) {
    if (!without?.has(device)) versions.push(...(await source.versions(device)));
  }
  if (versions.length === 0)
    throw new BackupError('not-found', 'the copy does not contain any versions');
  versions.sort(oldestFirst);
  await rm(folder, { recursive: true, force: true });
  const repository = await Repository.open(folder, { rack });
  const unreadable: UnreadableVersion[] = [];
  // Their sum would not fit into memory.
  await using files = await tempFolder('skolo-copies-');
  let last: unknown;
  try {
    for (let start = 0; start < versions.length; start += together) {
      signal.throwIfAborted();
      const some = versions.slice(start, start + together);
      const contents = await Promise.allSettled(
        some.map((version, index) => fileOf(source, version, join(files.path, `${index}`))),
      );
      await Promise.all(
        some.map(async (version, index) => {
          const found = contents[index];
          if (found?.status === 'fulfilled') {
            const content = found.value;
            await repository.commit({ ...changeOf(version, rack ?? ''), content });
            await rm(content.file);
            return;
          }
          const { device, id } = version;
          last = found?.reason;
          unreadable.push({ device, id, why: errorText(last) });
        }),
      );
    }
  } finally {
    await repository.close();
  }
  if (unreadable.length === versions.length) throw last;
  return unreadable;
}

async function fileOf(source: BackupSource, version: Version, file: string) {
  await source.contentToFile?.(version, file);
  return { file, size: (await stat(file)).size };
}

function changeOf(version: Version, rack: string) {
  const { device, time, model = '', run = '', by = '', ...rest } = version;
  const { reason, changedBy, partial, shownSize, nonce } = rest;
  const summary = rest.summary && withoutName(rest.summary, device);
  const facts = { reason, changedBy, partial, shownSize, nonce };
  return { device, about: { rack, model, run, time, by, summary, ...facts } };
}

function oldestFirst(a: Version, b: Version): number {
  return Date.parse(a.time) - Date.parse(b.time);
}
