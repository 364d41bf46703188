import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorCode } from '@skolo/base';

/**
 * Creates a directory and its parents. By default, only their owner may use new ones.
 *
 * `mkdir` with `recursive` is not used: below /proc, where mkdir(2) returns ENOENT although the parent exists, it never ends. On a
 * read-only disk, it returns ENOENT instead of EROFS.
 *
 * @throws Error From the system.
 */
export async function makeFolder(folder: string, mode = 0o700): Promise<void> {
  const whole = resolve(folder);
  // Always the directory itself: for a file, mkdir(2) fails.
  const missing = [whole];
  for (let at = dirname(whole); !(await kindOf(at)); at = dirname(at)) missing.unshift(at);
  for (const each of missing) {
    try {
      await mkdir(each, { mode });
    } catch (error) {
      // Another process created it meanwhile. A file with that name is an error.
      if (errorCode(error) !== 'EEXIST' || (await kindOf(each)) !== 'folder') throw error;
    }
  }
}

/** Undefined if the path does not exist. */
async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const code = errorCode(error) ?? 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
