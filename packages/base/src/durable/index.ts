/** Files, journals and spools that survive crashes and power cuts. */
export {
  FileNotWritten,
  openPlainFile,
  readFileIfExists,
  syncFolder,
  writeFileAtomic,
} from './files/atomic-file.ts';
export { GroupCommit } from './files/group-commit.ts';
export { appendLines, linesBackwards, openIfThere } from './files/line-file.ts';
export { makeFolder } from './files/make-folder.ts';
export { StorageUnavailable } from './files/storage-errors.ts';
export { Journal } from './journal/journal.ts';
export {
  type Change,
  Table,
  Tables,
  type TablesDeps,
} from './journal/tables.ts';
export { markOf } from './spool/acknowledged-mark.ts';
export {
  copyLive,
  isLiveFile,
  isLiveFolder,
} from './spool/live-copy.ts';
export type { SpoolRecord } from './spool/read-records.ts';
export { type Snapshot, Snapshots, writeSnapshot } from './spool/snapshots.ts';
export { Spool } from './spool/spool.ts';
