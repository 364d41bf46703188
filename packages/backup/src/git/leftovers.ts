/** Decides which leftovers of a killed git, or of a full disk, are deleted: locks that block the next git, and partial files. */

import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '@skolo/base';

const folders = ['.', 'refs', 'refs/heads', 'objects', 'objects/pack', 'objects/info'];
// git's own `prune` takes everything that begins with `tmp_` for a leftover (prune-packed and builtin/prune.c).
const leftover =
  /^(?:.+\.lock|tmp_.+|\.tmp-\d+-pack-.+|pack-[0-9a-f]+\.keep|fast_import_crash_\d+|gc\.pid)$/;
const writing = /\0(?:fast-import|repack|pack-objects|config|init)\0/;
const patience = 10_000;

/**
 * Removes leftovers; keeps those that cannot be removed. First waits for a git that is still writing; if it does not exit, changes nothing.
 */
export async function removeLeftovers(dir: string): Promise<void> {
  let found: string[] = [];
  // Listed before each look at the processes: what appears later belongs to a git that has started since.
  const list = async () => {
    found = await leftoversIn(dir);
  };
  if (!(await isLeftAlone(dir, list))) return;
  for (const path of found) await rm(path, { force: true, recursive: true }).catch(() => undefined);
}

async function leftoversIn(dir: string): Promise<string[]> {
  const found = folders.map(async (folder) => {
    const names = await readdir(join(dir, folder)).catch(() => []);
    return names.filter((name) => leftover.test(name)).map((name) => join(dir, folder, name));
  });
  return (await Promise.all(found)).flat();
}

/**
 * Waits for a git that outlived the process that started it, if the system has /proc. False: it does not exit.
 *
 * @param before is awaited before each look
 */
export async function isLeftAlone(dir: string, before = async () => {}): Promise<boolean> {
  const end = performance.now() + patience;
  for (;;) {
    await before();
    if (!(await isBeingWritten(dir))) return true;
    if (performance.now() > end) return false;
    await pause(20);
  }
}

/** Whether a writing git is running with the repository as its current directory, as all that we start do. Linux only. */
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
