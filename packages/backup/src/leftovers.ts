/** What a git that was killed, or that found the disk full, leaves behind: locks that stop the next one, halves of files. */
import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const folders = ['.', 'refs', 'refs/heads', 'objects', 'objects/pack', 'objects/info'];
const leftover =
  /^(?:.+\.lock|tmp_(?:pack|idx|rev|obj)_.+|\.tmp-\d+-pack-.+|pack-[0-9a-f]+\.keep|fast_import_crash_\d+|gc\.pid)$/;
const patience = 10_000;

/**
 * Removes them; what cannot be removed is left. Nothing of ours may be writing. A git that outlived the process which
 * started it is waited for, as far as the system tells.
 */
export async function removeLeftovers(dir: string): Promise<void> {
  const found: string[] = [];
  for (const folder of folders) {
    const names = await readdir(join(dir, folder)).catch(() => []);
    found.push(
      ...names.filter((name) => leftover.test(name)).map((name) => join(dir, folder, name)),
    );
  }
  if (found.length === 0) return;
  for (const end = performance.now() + patience; performance.now() < end; await sleep(20)) {
    if (!(await isGitAtWork(dir))) break;
  }
  for (const path of found) await rm(path, { force: true }).catch(() => undefined);
}

/** Whether a git has the repository as its current folder, as every one that we start does. Linux only. */
async function isGitAtWork(dir: string) {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    processes.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
      if (cwd !== dir) return false;
      return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).startsWith('git');
    }),
  );
  return found.includes(true);
}
