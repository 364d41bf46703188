export { FileNotWritten, readFileIfExists, syncFolder, writeFileAtomic } from './atomic-file.ts';
export { Journal, type JournalChange } from './journal.ts';
export { JournalUnavailable } from './journal-unavailable.ts';
export { copyLive, type LiveCopy, type LiveCopyOptions, type LiveFile } from './live-copy.ts';
export { makeFolder } from './make-folder.ts';
export { markOf } from './mark.ts';
export type { SpoolDamage } from './spool/opening.ts';
export type { SpoolRecord } from './spool/reading.ts';
export { Spool, type SpoolOptions } from './spool/spool.ts';
export { SpoolUnavailable } from './spool/unavailable.ts';
export {
  type Change,
  JournalDown,
  type RecordSchema,
  Table,
  Tables,
  type TablesDeps,
} from './tables.ts';
