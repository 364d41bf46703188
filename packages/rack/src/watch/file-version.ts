/** Reads a file with a size limit, or says why it is unreadable. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorCode } from '@skolo/base';
import { maxTextLength } from '../yaml/yaml.ts';

/** Content of a file: its text, or why it is unreadable (a system code, or EISDIR, ENOTREG, EFBIG). */
export type FileVersion = { text: string } | { unreadable: string };

/** UTF-8 requires at most three bytes for a JavaScript character. */
const maxBytes = 3 * maxTextLength;

/** Without it, opening a named pipe would block. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads the file. Never throws, because an unreadable file is also a version. */
export async function readVersion(path: string): Promise<FileVersion> {
  try {
    await using handle = await open(path, openFlags);
    const found = await handle.stat();
    if (found.isDirectory()) return { unreadable: 'EISDIR' };
    if (!found.isFile()) return { unreadable: 'ENOTREG' };
    if (found.size > maxBytes) return { unreadable: 'EFBIG' };
    return { text: await handle.readFile('utf8') };
  } catch (error) {
    return { unreadable: errorCode(error) ?? String(error) };
  }
}
