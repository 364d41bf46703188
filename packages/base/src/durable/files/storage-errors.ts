/** Says why a disk rejected a change (full, read-only, I/O error), and which errors are worth a retry. */
import { errorCode, NamedError } from '@skolo/base';

/** Texts for system codes. */
export const reasons = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is exhausted'],
  ['EFBIG', 'the file would exceed the size limit of this process'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'no permission to read or write the directory'],
  ['EPERM', 'no permission to read or write the directory'],
  ['ENOENT', 'the directory does not exist'],
  ['ENOTDIR', 'part of the path is a file, not a directory'],
  ['EISDIR', 'a directory has this name'],
  ['ENOTEMPTY', 'a directory has this name'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EIO', 'the disk reports an error'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
]);

/**
 * A journal or spool could not be opened, read or written. `code` is a system code such as `ENOSPC`, or one of `LOCKED`,
 * `CLOSED`, `unknown`. All except `CLOSED` are worth a retry.
 */
export class StorageUnavailable extends NamedError {
  readonly folder: string;
  readonly code: string;

  constructor(folder: string, what: string, cause?: unknown, code = errorCode(cause) ?? 'unknown') {
    const why =
      own.get(code) ?? reasons.get(code) ?? (cause instanceof Error ? cause.message : code);
    super(`${folder}: ${what}: ${why} (${code})`, { cause });
    this.folder = folder;
    this.code = code;
  }
}

const own = new Map([
  ['LOCKED', 'another process is already using the directory'],
  ['CLOSED', 'it is closed'],
]);
