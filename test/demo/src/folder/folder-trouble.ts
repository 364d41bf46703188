import { shellWord } from '@skolo/base';

const flag = 'npm start -- --dir DIR.';
const another = `Give another folder: ${flag}`;

/** What each error means, and what to do about it; `dir` is the demo's directory. */
const reasons = new Map<unknown, (dir: string) => string>([
  ['EACCES', notOurs],
  ['EPERM', notOurs],
  ['EROFS', () => `the file system is read-only. ${another}`],
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['ENOTDIR', () => `a part of the path is a file. ${another}`],
  ['EEXIST', () => `a part of the path is a file. ${another}`],
  ['ENOENT', () => `no folder can be made there. ${another}`],
]);

function full(): string {
  return `the disk is full. Make room there, or give another folder: ${flag}`;
}

function notOurs(dir: string): string {
  return `this user may not use it. Was it made with sudo? Then: sudo chown -R "$(id -u)" ${shellWord(dir)}. Or give another folder: ${flag}`;
}

/** The message about a file or directory that cannot be used; undefined for other errors. */
export function folderTrouble(error: unknown, dir: string): string | undefined {
  if (!(error instanceof Error && 'code' in error && 'path' in error)) return undefined;
  const reason = reasons.get(error.code);
  return reason && `${error.path}: ${reason(dir)}`;
}
