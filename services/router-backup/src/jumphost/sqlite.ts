/**
 * A SQLite database that another process may be writing to (k3s keeps its cluster in one), copied by SQLite itself as it is at
 * one moment, with every transaction that was committed before.
 *
 * The copy is in the clear, with mode 0600, below the state directory. SQLite can only write a file, and k3s' own database
 * lies on the same disk in the clear, so that encrypting the copy would protect nothing. Memory (/dev/shm) is no place for it: a
 * cluster's database has hundreds of megabytes, and the service may use 512 MiB. The copy is removed once it is in the
 * archive. What a process that died has left is removed at the next start, with the folder that it lies in.
 */
import { open } from 'node:fs/promises';
import { backup, DatabaseSync } from 'node:sqlite';

const magic = Buffer.from('SQLite format 3\0');
/** A writer that holds the database for longer is not waited for. */
const busyMs = 30_000;
/** All pages in one transaction: after each change by another process, SQLite would begin again. */
const allPages = 2 ** 31 - 1;

export function isDatabase(firstBytes: Buffer): boolean {
  return firstBytes.subarray(0, magic.length).equals(magic);
}

/** @param to a file that does not exist yet @throws Error of SQLite or of the system */
export async function copyDatabase(path: string, to: string): Promise<void> {
  // SQLite would let everybody read it.
  await (await open(to, 'wx', 0o600)).close();
  using source = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  await backup(source, to, { rate: allPages });
}
