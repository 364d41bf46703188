import { errorCode } from '@skolo/errors';
import { reasonFor } from './system-error.ts';

/**
 * A journal or spool could not be opened, read or written. `code` is of the system, such as `ENOSPC`, or one of `LOCKED`,
 * `CLOSED`, `unknown`. All but `CLOSED` are worth a retry.
 */
export class StorageUnavailable extends Error {
  readonly folder: string;
  readonly code: string;

  constructor(folder: string, what: string, cause?: unknown, code = errorCode(cause) ?? 'unknown') {
    const why = own.get(code) ?? reasonFor(code) ?? (cause instanceof Error ? cause.message : code);
    super(`${folder}: ${what}: ${why} (${code})`, { cause });
    this.name = 'StorageUnavailable';
    this.folder = folder;
    this.code = code;
  }
}

const own = new Map([
  ['LOCKED', 'another process has it open; one folder belongs to one process'],
  ['CLOSED', 'it is closed'],
]);
