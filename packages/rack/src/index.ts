/** The inventory of a rack. */
export type { Path, RackIssue } from './issues.ts';
export { formatIssue, RackError } from './issues.ts';
export { parseRack, rackWarnings, readRack } from './load.ts';
export { models } from './models/index.ts';
export type { Model, Numbering, Transport } from './models/model.ts';
export type * from './rack.ts';
export {
  escapeRange,
  expandNames,
  expandRange,
  foldRange,
  hasRange,
  RangeSyntaxError,
} from './ranges.ts';
export type { CheckedSecret, SecretReference } from './secret-references.ts';
export { checkSecrets, secretReferences } from './secret-references.ts';
export type { SecretErrorCode } from './secrets.ts';
export {
  checkSecretFile,
  readSecret,
  Secret,
  SecretError,
  SecretFile,
  SecretFormatError,
  secretPath,
} from './secrets.ts';
export type {
  AlertToPubsubSettings,
  MetadataServerSettings,
  PowerCycleDaemonSettings,
  RouterBackupSettings,
  ServiceName,
  ServicesSettings,
  SwarmingClientSettings,
} from './settings.ts';
export {
  defaultSettings,
  hostOfUrl,
  serviceMetricsUrl,
  serviceNames,
  servicePorts,
  serviceUrl,
} from './settings.ts';
export type { RackWatch, WatchRackOptions, WatchTuning } from './watch.ts';
export { watchRack } from './watch.ts';
