export { markOf } from './acknowledged-mark.ts';
export { FileNotWritten, readFileIfExists, syncFolder, writeFileAtomic } from './atomic-file.ts';
export { GroupCommit } from './group-commit.ts';
export { Journal } from './journal.ts';
export { appendLines, linesBackwards, openIfThere } from './line-file.ts';
export {
  copyLive,
  isLiveFile,
  isLiveFolder,
} from './live-copy.ts';
export { makeFolder } from './make-folder.ts';
export { type Snapshot, Snapshots, writeSnapshot } from './snapshots.ts';
export type { SpoolRecord } from './spool/read-records.ts';
export { Spool } from './spool/spool.ts';
export { StorageUnavailable } from './storage-errors.ts';
export {
  type Change,
  JournalDown,
  Table,
  Tables,
  type TablesDeps,
} from './tables.ts';
