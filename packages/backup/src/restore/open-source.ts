/** Opens versions from any source: a bucket, a git remote, a directory. */
import { readdir, stat } from 'node:fs/promises';
import { errorCode } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import { inWords } from '../git/storage-error.ts';
import { decrypt } from '../offsite/age.ts';
import { directoryPlace, markName } from '../offsite/directory.ts';
import { type GcsOptions, gcsPlace } from '../offsite/gcs/gcs.ts';
import { shownRemote } from '../offsite/git/remote.ts';
import { parseObjectName } from '../offsite/name.ts';
import type { BackupSource } from '../source.ts';
import { findGitDir, isRemote, openGitSource } from './git-source.ts';
import { objectSource } from './object-source.ts';
import type { Trust } from './trust.ts';

interface OpenSourceOptions extends Pick<GcsOptions, 'token' | 'keyFile' | 'apiEndpoint'> {
  /** age identities for encrypted content. */
  identities?: readonly Secret[];
  /** Which copies are used; by default, all of them. */
  trust?: Trust;
  /** Branch of a git repository; default `main`, otherwise the branch of HEAD. */
  branch?: string;
  signal?: AbortSignal;
}

/**
 * @param from `gs://BUCKET/FOLDER`, a git remote (`ssh://…`, `https://…`, `git@host:path`, `file://…`), or a directory: a git repository,
 * or one with objects
 * @throws BackupError `not-found`, `unreachable`, `rejected`, `damaged`, `storage`
 */
export async function openSource(
  from: string,
  options: OpenSourceOptions = {},
): Promise<BackupSource> {
  const { identities = [], trust = {}, branch, signal, ...google } = options;
  const ofObjects = { identities, trust, signal };
  if (from.startsWith('gs://')) return objectSource(gcsPlace(from, google), ofObjects);
  const unknown = /^(?<scheme>[a-z][\w+.-]*):\/\//i.exec(from)?.groups?.scheme ?? 'file';
  if (!['ssh', 'git+ssh', 'ssh+git', 'https', 'http', 'git', 'file'].includes(unknown)) {
    throw new BackupError(
      'rejected',
      `${shownRemote(from)}: specify gs://BUCKET/FOLDER, a git remote or a directory`,
    );
  }
  if (isRemote(from) || from.startsWith('file://') || (await isRepository(from))) {
    return await openGitSource(from, {
      decrypt: (content) => decrypt(content, identities, shownRemote(from)),
      trust,
      branch,
      signal,
    });
  }
  return objectSource(directoryPlace(from), ofObjects);
}

/**
 * A directory with copies stays one, whatever somebody has added to it.
 *
 * @throws BackupError `not-found`: the directory does not exist
 */
async function isRepository(folder: string): Promise<boolean> {
  try {
    if ((await stat(folder)).isDirectory()) {
      const names = await readdir(folder);
      if (names.some((name) => name === markName || parseObjectName(name))) return false;
      return (await findGitDir(folder)) !== undefined;
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') {
      throw new BackupError('storage', `${folder}: ${inWords(error)}`, { cause: error });
    }
    throw new BackupError('not-found', `${folder}: the directory does not exist`, { cause: error });
  }
  throw new BackupError('not-found', `${folder}: this is a file; specify its directory`);
}
