/** Texts for system codes. */
const reasons = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is exhausted'],
  ['EFBIG', 'the file would exceed the size limit of this process'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'no permission to write in that folder'],
  ['EPERM', 'no permission to write in that folder'],
  ['ENOENT', 'no such folder'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['EISDIR', 'a folder has that name'],
  ['ENOTEMPTY', 'a folder has that name'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EIO', 'the disk reports an error'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
]);

export function reasonFor(code: string): string | undefined {
  return reasons.get(code);
}
