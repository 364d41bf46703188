/** Files of lines that are only appended to, such as JSON lines. */
import { type FileHandle, open } from 'node:fs/promises';
import { ifThere } from '@skolo/base';
import { toDisk } from './disk.ts';

const newline = 0x0a;

/**
 * Appends lines; they are on the disk when it resolves. A partial line from a killed process becomes a separate line.
 *
 * @param mode of a new file
 * @throws Error From the system: the file is as it was.
 */
export async function appendLines(
  path: string,
  lines: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  await toDisk(() => append(path, lines, mode));
}

async function append(path: string, lines: string | Uint8Array, mode: number): Promise<void> {
  await using file = await open(path, 'a+', mode);
  const { size } = await file.stat();
  try {
    if (await isCut(file, size)) await file.appendFile('\n');
    await file.appendFile(lines);
    await file.datasync();
  } catch (error) {
    // A disk that fills up accepts a part of a line, and rejected data must not be found later.
    await file.truncate(size).catch(() => undefined);
    throw error;
  }
}

async function isCut(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead > 0 && buffer[0] !== newline;
}

const chunkBytes = 64 * 1024;
/** Longer than any of our lines, so the file is damaged. */
const longestLine = 1024 * 1024;

/** Lines before a byte, last one first, each with its start offset. Memory is bounded for any content. */
export async function* linesBackwards(
  file: FileHandle,
  end: number,
): AsyncGenerator<{ line: string; start: number }> {
  let rest: Buffer = Buffer.alloc(0);
  for (let position = end; position > 0; ) {
    const size = Math.min(chunkBytes, position);
    position -= size;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, position);
    rest = Buffer.concat([buffer.subarray(0, bytesRead), rest]);
    for (let at = rest.lastIndexOf(newline); at >= 0; at = rest.lastIndexOf(newline)) {
      yield { line: rest.toString('utf8', at + 1), start: position + at + 1 };
      rest = rest.subarray(0, at);
    }
    if (rest.length > longestLine) {
      yield { line: rest.toString('utf8'), start: position };
      rest = Buffer.alloc(0);
    }
  }
  yield { line: rest.toString('utf8'), start: 0 };
}

/** Undefined if there is no such file. @throws Error From the system. */
export function openIfThere(path: string): Promise<FileHandle | undefined> {
  return ifThere(open(path, 'r'));
}
