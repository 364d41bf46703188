/** Configurations of network equipment: the history, copies off site, the way back. */
export type { CommitAbout } from './commit-message.ts';
export { changedLines, difference } from './diff.ts';
export { findGitDir, type GitSourceOptions, openGitSource } from './git-source.ts';
export { decrypt, decryptWith, encryptTo, parseIdentities } from './offsite/age.ts';
export { type DirectoryOptions, directoryPlace } from './offsite/directory.ts';
export { type GcsOptions, gcsPlace } from './offsite/gcs.ts';
export { GitMirror, type GitMirrorOptions } from './offsite/git-mirror.ts';
export {
  defaultToken,
  type GetToken,
  metadataServerToken,
  serviceAccountToken,
} from './offsite/google-token.ts';
export { type NamedObject, objectName, parseObjectName } from './offsite/name.ts';
export { type ObjectSourceOptions, objectSource } from './offsite/object-source.ts';
export { type OpenSourceOptions, openSource } from './offsite/open-source.ts';
export { type Packed, type PackOptions, pack, unpack } from './offsite/pack.ts';
export type { ObjectAbout, OffsitePlace, StoredObject } from './offsite/place.ts';
export { shownRemote } from './offsite/remote.ts';
export { expired, type Retention } from './offsite/retention.ts';
export {
  appendMissing,
  openBundle,
  rebuildHistory,
  type UnreadableVersion,
  writeBundle,
} from './rebuild.ts';
export { repairHistory } from './repair.ts';
export { type Change, Repository } from './repository.ts';
export { replaceHistory, setAside } from './repository-folder.ts';
export type { BackupSource, Version } from './source.ts';
export { resolveVersion } from './versions.ts';
