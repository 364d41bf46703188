import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const gib = 1024 ** 3;
/** A jumphost's preparation checks for 5 GiB of free space. All tests together use half a GiB. */
const size = 8 * gib;
/** Plus 4 GiB for the tests themselves. */
const enough = 12 * gib;

/**
 * Decides whether tests use a directory in memory for temporary files, and how large it is. Tests of backups and queues create and sync
 * thousands of small files, for which an on-disk file system takes a tenth of their CPU time.
 *
 * It is mounted in the mount namespace of the program that runs in it, so it disappears with the last of that program's processes, however
 * they end.
 *
 * @returns {{ command: string[], folder: string, remove: () => void } | undefined} `command`: prefix for the program's own command;
 * undefined: not root on Linux, or not enough memory
 */
export function memoryFolder() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  // Node before 20.13 does not report it.
  if ((process.availableMemory?.() ?? 0) < enough) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'skolo-'));
  const remove = () => rmdirSync(folder);
  const mount = `mount -t tmpfs -o size=${size},mode=1777 tmpfs "$0" && exec "$@"`;
  const command = ['unshare', '--mount', 'sh', '-c', mount, folder];
  const [program = '', ...args] = command;
  // Unprivileged containers may not mount.
  if (spawnSync(program, [...args, 'true']).status === 0) return { command, folder, remove };
  remove();
  return undefined;
}
