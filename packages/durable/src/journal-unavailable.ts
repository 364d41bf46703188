import { getSystemErrorMap } from 'node:util';
import { reasonFor, systemCode } from './system-error.ts';

/**
 * A journal could not be opened, read or written. `code` is the system's, such as `ENOSPC`, or one of `LOCKED`,
 * `CORRUPT`, `CLOSED`, `unknown`. All but `CLOSED` may be over by the next try.
 */
export class JournalUnavailable extends Error {
  readonly folder: string;
  readonly code: string;

  constructor(folder: string, what: string, cause?: unknown, code = codeOf(cause)) {
    super(`${folder}: ${what}: ${own.get(code) ?? reasonFor(code) ?? inner(cause)} (${code})`, {
      cause,
    });
    this.name = 'JournalUnavailable';
    this.folder = folder;
    this.code = code;
  }
}

const own = new Map([
  ['LOCKED', 'another process has it open; one journal belongs to one process'],
  ['CORRUPT', 'its files are damaged'],
  ['CLOSED', 'it is closed'],
]);

/** As strerror(3) says it, which is all that LevelDB keeps of a system's error; glibc's and musl's words. */
const texts = new Map<string, string>([
  ...[...getSystemErrorMap().values()].map(([code, text]): [string, string] => [text, code]),
  ['input/output error', 'EIO'],
  ['i/o error', 'EIO'],
  ['disk quota exceeded', 'EDQUOT'],
  ['quota exceeded', 'EDQUOT'],
  ['permission denied', 'EACCES'],
  ['file too large', 'EFBIG'],
  ['too many open files', 'EMFILE'],
  ['no file descriptors available', 'EMFILE'],
  ['too many open files in system', 'ENFILE'],
  ['not a directory', 'ENOTDIR'],
]);

/** The system's code of an error that LevelDB or the system threw, or one of ours. */
export function codeOf(error: unknown): string {
  const code = systemCode(error);
  if (code === 'LEVEL_DATABASE_NOT_OPEN') {
    return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : 'CLOSED';
  }
  if (code === 'LEVEL_LOCKED') return 'LOCKED';
  if (code === 'LEVEL_CORRUPTION') return 'CORRUPT';
  if (error instanceof Error && code.startsWith('LEVEL_')) {
    return texts.get(error.message.split(': ').at(-1)?.toLowerCase() ?? '') ?? 'unknown';
  }
  return code;
}

function inner(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
