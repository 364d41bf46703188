import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const gib = 1024 ** 3;
/** A jumphost that is prepared wants to see 5 GiB free. All tests together fill half a GiB. */
const size = 8 * gib;
/** With 4 GiB for the tests themselves. */
const enough = 12 * gib;

/**
 * A folder in memory for temporary files. Tests of backups and of queues make and sync so many small ones that the file
 * system of a disk takes a tenth of their processor time.
 *
 * It is mounted in a mount namespace of the program that is run in it, so it is gone with the last of its processes, however
 * that ends.
 *
 * @returns {{ command: string[], folder: string, remove: () => void } | undefined} `command`: what the program's own
 *   comes after; undefined: not root on Linux, or not with memory to spare
 */
export function memoryFolder() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  // Node before 20.13 cannot say.
  if ((process.availableMemory?.() ?? 0) < enough) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'skolo-'));
  const remove = () => rmdirSync(folder);
  const mount = `mount -t tmpfs -o size=${size},mode=1777 tmpfs "$0" && exec "$@"`;
  const command = ['unshare', '--mount', 'sh', '-c', mount, folder];
  const [program = '', ...args] = command;
  // A container without privileges may not.
  if (spawnSync(program, [...args, 'true']).status === 0) return { command, folder, remove };
  remove();
  return undefined;
}
