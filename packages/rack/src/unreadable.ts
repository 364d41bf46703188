import { RackError } from './issues.ts';

const reasons = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'may not be read; let the user that this runs as read it'],
  ['EISDIR', 'is a folder; give the path of the file in it'],
  ['ENOTREG', 'is not a regular file, and only such can be watched'],
  ['EFBIG', 'is far too large for a rack.yaml; is it the right file?'],
]);

/** What is wrong with a file that cannot be read, by the code of the system's error. */
export function unreadableRack(file: string, code: string, cause?: unknown): RackError {
  const message = reasons.get(code) ?? `cannot be read (${code})`;
  return new RackError([{ file, line: 1, column: 1, path: '', message }], { cause });
}
