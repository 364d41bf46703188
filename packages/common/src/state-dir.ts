import { constants, type StatsFs } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { makeFolder } from '@skolo/durable/make-folder';
import { errorText } from '@skolo/errors';
import type { DegradedList } from './degraded.ts';

const lookEveryMs = 60_000;
const leastFreeBytes = 1024 * 1024;

/** Why nothing can be kept in a state directory, or undefined if it can. Makes it where it is missing; writes nothing. */
export async function stateDirTrouble(dir: string): Promise<string | undefined> {
  try {
    await makeFolder(dir);
    await access(dir, constants.W_OK | constants.X_OK);
    return isFull(await statfs(dir)) ? `${dir}: the disk is full; make room there` : undefined;
  } catch (error) {
    return `${dir} cannot be written: ${errorText(error)}; give a folder that this user may write with --state-dir`;
  }
}

/** No room, or no room for another file. Some file systems do not count files: then `files` is 0. */
export function isFull(disk: Pick<StatsFs, 'bavail' | 'bsize' | 'files' | 'ffree'>): boolean {
  return disk.bavail * disk.bsize < leastFreeBytes || (disk.files > 0 && disk.ffree === 0);
}

/** Looks once a minute, so that readyz says it before something is to be written. */
export async function watchStateDir(
  dir: string,
  degraded: Pick<DegradedList, 'raise' | 'clear'>,
  everyMs: number = lookEveryMs,
): Promise<{ close(): void }> {
  async function look() {
    const trouble = await stateDirTrouble(dir);
    if (trouble === undefined) degraded.clear('state directory');
    else degraded.raise('state directory', trouble);
  }

  await look();
  const timer = setInterval(() => void look(), everyMs).unref();
  return { close: () => clearInterval(timer) };
}
