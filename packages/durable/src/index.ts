export { FileNotWritten, readFileIfExists, syncFolder, writeFileAtomic } from './atomic-file.ts';
export { Journal, type JournalChange } from './journal.ts';
export { JournalUnavailable } from './journal-unavailable.ts';
export { copyLive, type LiveCopy, type LiveCopyOptions, type LiveFile } from './live-copy.ts';
export {
  type Change,
  JournalDown,
  type RecordSchema,
  Table,
  Tables,
  type TablesDeps,
} from './tables.ts';
