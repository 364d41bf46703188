export { FileNotWritten, readFileIfExists, writeFileAtomic } from './atomic-file.ts';
export { Journal, type JournalChange } from './journal.ts';
export { JournalUnavailable } from './journal-unavailable.ts';
export {
  type Change,
  JournalDown,
  type RecordSchema,
  Table,
  Tables,
  type TablesDeps,
} from './tables.ts';
