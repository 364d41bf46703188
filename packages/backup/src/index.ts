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
export { BackupError } from './errors.ts';
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
export type { ObjectAbout, OffsitePlace, StoredObject } from './offsite/place.ts';
export { type Change, Repository } from './repository.ts';
export { setAside } from './repository-folder.ts';
export type { BackupSource, Version } from './source.ts';
