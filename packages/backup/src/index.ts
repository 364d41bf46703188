/** Configurations of network equipment: what to ask each model, the history, copies off site, the way back. */
export { BackupError } from './errors.ts';
export type { DeviceCli, DeviceConnection } from './models/connection.ts';
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
export type { BackupSource, Version } from './source.ts';
