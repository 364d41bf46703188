import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemCode } from './system-error.ts';

/**
 * Makes a folder, and those above it, where there is none. By default only their owner may use those that it makes.
 *
 * Not `mkdir` with `recursive`: below /proc, where mkdir(2) says ENOENT although the parent is there, that never ends and
 * keeps a processor busy. On a read-only disk it says ENOENT instead of EROFS.
 *
 * @throws Error Of the system.
 */
export async function makeFolder(folder: string, mode = 0o700): Promise<void> {
  const whole = resolve(folder);
  // The folder itself in any case: where it is a file, mkdir(2) says so.
  const missing = [whole];
  for (let at = dirname(whole); !(await kindOf(at)); at = dirname(at)) missing.unshift(at);
  for (const each of missing) {
    try {
      await mkdir(each, { mode });
    } catch (error) {
      // Somebody else has made it meanwhile. A file of that name is no folder.
      if (systemCode(error) !== 'EEXIST' || (await kindOf(each)) !== 'folder') throw error;
    }
  }
}

/** What is there; undefined where nothing is. */
async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
