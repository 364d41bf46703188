/** Configurations of network equipment: what to ask each model, the history, copies off site, the way back. */
export {
  memberBytes,
  memberStream,
  readTar,
  type TarLimits,
  type TarMember,
  tarFault,
} from './archive.ts';
export { membersToWrite, type NewMember, tarOf, writeTar } from './archive-write.ts';
export type { CommitAbout } from './commit-message.ts';
export { commonSecrets } from './common-secrets.ts';
export { changedLines, difference } from './diff.ts';
export { BackupError } from './errors.ts';
export { findGitDir, type GitSourceOptions, openGitSource } from './git-source.ts';
export { createMask, type Mask } from './mask.ts';
export type { DeviceCli, DeviceConnection } from './models/connection.ts';
export { backupModels } from './models/index.ts';
export type {
  BackupModel,
  Content,
  Identity,
  Reading,
  Restore,
  RestoreAbout,
  RestoreStep,
  SecretRule,
} from './models/model.ts';
export { type Connection, type ConnectionDeps, openConnection } from './models/open-connection.ts';
export { decryptWith, encryptTo } from './offsite/age.ts';
export type { ObjectAbout, OffsitePlace, StoredObject } from './offsite/place.ts';
export { type Change, Repository } from './repository.ts';
export { setAside } from './repository-folder.ts';
export type { BackupSource, Version } from './source.ts';
export { isSame, textOf, withoutVolatile } from './text.ts';
export { resolveVersion } from './versions.ts';
