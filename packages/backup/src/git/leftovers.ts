/** What a git that was killed, or that found the disk full, leaves behind: locks that stop the next one, halves of files. */

import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '@skolo/base';

const folders = ['.', 'refs', 'refs/heads', 'objects', 'objects/pack', 'objects/info'];
const leftover =
  /^(?:.+\.lock|tmp_(?:pack|idx|rev|obj)_.+|\.tmp-\d+-pack-.+|pack-[0-9a-f]+\.keep|fast_import_crash_\d+|gc\.pid)$/;
const writing = /\0(?:fast-import|repack|pack-objects|config|init)\0/;
const patience = 10_000;

/**
 * Removes them; what cannot be removed is left. A git that is still writing is waited for first; if it does not end, all is
 * left as it is.
 */
export async function removeLeftovers(dir: string): Promise<void> {
  if (!(await isLeftAlone(dir))) return;
  for (const folder of folders) {
    const names = await readdir(join(dir, folder)).catch(() => []);
    for (const name of names.filter((each) => leftover.test(each))) {
      await rm(join(dir, folder, name), { force: true }).catch(() => undefined);
    }
  }
}

/** Waits for a git that outlived the process which started it, where the system has /proc. False: it does not end. */
export async function isLeftAlone(dir: string): Promise<boolean> {
  const end = performance.now() + patience;
  while (await isBeingWritten(dir)) {
    if (performance.now() > end) return false;
    await pause(20);
  }
  return true;
}

/** Whether there is a git that writes, in the repository as its current folder, as all are that we start. Linux only. */
async function isBeingWritten(dir: string) {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    processes.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
      if (cwd !== dir) return false;
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return writing.test(command);
    }),
  );
  return found.includes(true);
}
