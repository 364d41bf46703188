/** Turns messages of git and the system into errors for people: disk full, damaged, no permission. */
import { errorCode } from '@skolo/base';
import { BackupError } from '@skolo/equipment/models/configuration';
import { GitFailed } from './git.ts';

const disk = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is exhausted'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'the user that runs this process does not have read and write permission'],
  ['EPERM', 'the user that runs this process does not have read and write permission'],
  ['ENOENT', 'the directory does not exist'],
  ['ENOTDIR', 'part of the path is a file, not a directory'],
  ['EIO', 'the disk reports an error'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
  ['ENOMEM', 'not enough memory'],
  ['unwritten', 'the data was not written; the disk may be full'],
]);

/** A size that git tries to allocate because of a damaged file: more than any computer has. */
const absurd = 1e12;

/** A fault of the disk or the system, in words; undefined if it is neither. */
function faultOfSystem(error: unknown): string | undefined {
  const [, wanted] =
    (error instanceof GitFailed && /Out of memory.*allocate (\d+) bytes/i.exec(error.stderr)) || [];
  if (wanted !== undefined) return Number(wanted) > absurd ? undefined : disk.get('ENOMEM');
  return disk.get(errorCode(error) ?? '');
}

export function inWords(error: unknown): string {
  const words = faultOfSystem(error) ?? (error instanceof Error ? error.message : String(error));
  const lines = words.split('\n').filter((line) => !/dumping crash report/.test(line));
  return lines.slice(0, 3).join('; ');
}

/** Why something could not be written. */
export function notStored(what: string, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const code = faultOfSystem(error) === undefined && isDamage(error) ? 'damaged' : 'storage';
  return new BackupError(code, `${what}: ${inWords(error)}`, { cause: error });
}

/**
 * Why something could not be read. Only an error with which git itself exits counts as damage, because a damaged history is set aside,
 * which must not happen when memory runs out.
 */
export function notRead(what: string, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  if (!(error instanceof GitFailed)) {
    return new BackupError('storage', `${what}: ${inWords(error)}`, { cause: error });
  }
  const isDisk = error.isKilled || faultOfSystem(error) !== undefined;
  return new BackupError(isDisk ? 'storage' : 'damaged', `${what}: ${inWords(error)}`, {
    cause: error,
  });
}

function isDamage(error: unknown) {
  return (
    error instanceof GitFailed &&
    !error.isKilled &&
    /corrupt|not a valid|unable to read|bad object|broken|not a git repository|missing|does not match/i.test(
      error.stderr,
    )
  );
}
