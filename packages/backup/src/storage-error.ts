/** What git and the system say, as errors for people. */
import { BackupError } from './errors.ts';
import { GitFailed } from './git.ts';

const disk = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'this user may not read and write there'],
  ['EPERM', 'this user may not read and write there'],
  ['ENOENT', 'there is no such folder'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['EIO', 'the disk reports an error'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
]);

/** As strerror(3) says them, which is what git repeats. */
const texts: [RegExp, string][] = [
  [/No space left on device|Out of disk ?space/i, 'ENOSPC'],
  [/Disk quota exceeded/i, 'EDQUOT'],
  [/Read-only file system/i, 'EROFS'],
  [/Permission denied|Operation not permitted|insufficient permission/i, 'EACCES'],
  [/Input\/output error|I\/O error/i, 'EIO'],
  [/Too many open files/i, 'EMFILE'],
];

/** Of an error of the system. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/** The disk's fault, in words; undefined: it is not the disk's. */
function faultOfDisk(error: unknown): string | undefined {
  if (!(error instanceof GitFailed)) return disk.get(codeOf(error));
  const [, code] = texts.find(([text]) => text.test(error.stderr)) ?? [];
  return code === undefined ? undefined : disk.get(code);
}

export function inWords(error: unknown): string {
  const words = faultOfDisk(error) ?? (error instanceof Error ? error.message : String(error));
  const lines = words.split('\n').filter((line) => !/dumping crash report/.test(line));
  return lines.slice(0, 3).join('; ');
}

/** Why something could not be written. */
export function notStored(what: string, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const code = faultOfDisk(error) === undefined && isDamage(error) ? 'damaged' : 'storage';
  return new BackupError(code, `${what}: ${inWords(error)}`, { cause: error });
}

/** Why something could not be read: git finds what it wrote, or it is damaged. */
export function notRead(what: string, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  if (!(error instanceof GitFailed)) {
    return new BackupError('storage', `${what}: ${inWords(error)}`, { cause: error });
  }
  const isDisk = error.isTimeout || faultOfDisk(error) !== undefined;
  return new BackupError(isDisk ? 'storage' : 'damaged', `${what}: ${inWords(error)}`, {
    cause: error,
  });
}

function isDamage(error: unknown) {
  return (
    error instanceof GitFailed &&
    /corrupt|not a valid|unable to read|bad object|broken|not a git repository|missing|does not match/i.test(
      error.stderr,
    )
  );
}
