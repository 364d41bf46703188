export { markOf } from './acknowledged-mark.ts';
export { FileNotWritten, readFileIfExists, syncFolder, writeFileAtomic } from './atomic-file.ts';
export { GroupCommit } from './group-commit.ts';
export { Journal, type JournalChange } from './journal.ts';
export { appendLines, linesBackwards, openIfThere } from './line-file.ts';
export {
  copyLive,
  isLiveFile,
  isLiveFolder,
  type LiveCopy,
  type LiveCopyOptions,
  type LiveFile,
} from './live-copy.ts';
export { makeFolder } from './make-folder.ts';
export { type FoundSnapshot, type Snapshot, Snapshots, writeSnapshot } from './snapshots.ts';
export type { SpoolRecord } from './spool/read-records.ts';
export type { SpoolDamage } from './spool/recovery.ts';
export { Spool, type SpoolOptions } from './spool/spool.ts';
export { StorageUnavailable } from './storage-errors.ts';
export {
  type Change,
  JournalDown,
  type RecordSchema,
  Table,
  Tables,
  type TablesDeps,
} from './tables.ts';
