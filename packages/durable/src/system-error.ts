/** What the system says, in words for people. */
const reasons = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EFBIG', 'the file would become larger than this process may write'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'this user may not write in that folder'],
  ['EPERM', 'this user may not write in that folder'],
  ['ENOENT', 'there is no such folder'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['EISDIR', 'there is a folder of that name'],
  ['ENOTEMPTY', 'there is a folder of that name'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EIO', 'the disk reports an error'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
]);

export function reasonFor(code: string): string | undefined {
  return reasons.get(code);
}

export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
