/** Configurations of network equipment: the history, off-site copies, and restoring. */

export { difference, exchangedLines } from './diff.ts';
export { type CommitAbout, newNonce } from './history/commit-message.ts';
export { replaceHistory, setAside } from './history/folder.ts';
export { repairHistory } from './history/repair.ts';
export { Repository } from './history/repository.ts';
export { decrypt, decryptWith, encryptTo, parseIdentities } from './offsite/age.ts';
export { backupKeyId } from './offsite/copy-key.ts';
export { directoryPlace } from './offsite/directory.ts';
export { gcsPlace } from './offsite/gcs/gcs.ts';
export { type GetToken, metadataServerToken, serviceAccountToken } from './offsite/gcs/token.ts';
export { GitMirror } from './offsite/git/mirror.ts';
export { shownRemote } from './offsite/git/remote.ts';
export { objectName, parseObjectName } from './offsite/name.ts';
export { archiveDigest, pack } from './offsite/pack.ts';
export type { OffsitePlace } from './offsite/place.ts';
export { expired } from './offsite/retention.ts';
export { openSource } from './restore/open-source.ts';
export { pickVersion, unusable } from './restore/pick-version.ts';
export { appendMissing, openBundle, rebuildHistory, writeBundle } from './restore/rebuild.ts';
export type { Trust } from './restore/trust.ts';
export { type BackupSource, shownId, type Version } from './source.ts';
export { resolveVersion } from './versions.ts';
