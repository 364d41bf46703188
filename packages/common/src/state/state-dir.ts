/** Decides whether the state directory can be written, or its disk is full, which `/readyz` (degraded) and a metric then report. */
import { constants, type StatsFs } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { errorText, repeat } from '@skolo/base';
import { makeFolder } from '@skolo/base/durable/make-folder';
import { type Degraded, type DegradedList, degradedCode } from '../health/degraded.ts';

const checkEveryMs = 60_000;
const leastFreeBytes = 1024 * 1024;

type Trouble = Pick<Degraded, 'why' | 'code'>;

/** Why a state directory is not writable; undefined if it is. Creates a missing one, but writes nothing. */
export async function stateDirTrouble(dir: string): Promise<Trouble | undefined> {
  try {
    await makeFolder(dir);
    await access(dir, constants.W_OK | constants.X_OK);
    return isFull(await statfs(dir))
      ? { why: `${dir}: the disk has no free space or inodes; delete files`, code: 'disk-full' }
      : undefined;
  } catch (error) {
    return {
      why: `${dir} is not writable: ${errorText(error)}; specify a writable directory with --state-dir`,
      code: degradedCode(error),
    };
  }
}

/** No free space, or no free inode. Some file systems do not count inodes: then `files` is 0. */
export function isFull(disk: Pick<StatsFs, 'bavail' | 'bsize' | 'files' | 'ffree'>): boolean {
  return disk.bavail * disk.bsize < leastFreeBytes || (disk.files > 0 && disk.ffree === 0);
}

/** Checks once a minute, so that /readyz reports a problem before the next write. */
export async function watchStateDir(
  dir: string,
  degraded: Pick<DegradedList, 'raise' | 'clear'>,
  { everyMs = checkEveryMs, trouble = stateDirTrouble } = {},
): Promise<{ close(): void }> {
  async function check() {
    const found = await trouble(dir);
    if (found === undefined) degraded.clear('state directory');
    else degraded.raise('state directory', found.why, found.code);
  }

  await check();
  const closing = new AbortController();
  repeat(everyMs, check, closing.signal, 'later');
  return { close: () => closing.abort() };
}
