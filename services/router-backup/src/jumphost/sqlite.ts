/**
 * Copies a SQLite database that another process may be writing to (k3s keeps its cluster in one). SQLite itself makes the copy as of one
 * moment, with every transaction that was committed before.
 *
 * The copy is in the clear, with mode 0600, below the state directory. SQLite can only write a file, and k3s' own database is on the same
 * disk in the clear, so encrypting the copy would protect nothing. Memory (/dev/shm) is too small: a cluster's database has hundreds of
 * megabytes, and the service may use 512 MiB. The copy is removed once it is in the archive. A copy that a killed process left is removed
 * at the next start, with its directory.
 */
import { open } from 'node:fs/promises';
import { backup, DatabaseSync } from 'node:sqlite';

const magic = Buffer.from('SQLite format 3\0');
/** How long to wait for a writer that locks the database. */
const busyMs = 30_000;
/** All pages in one transaction: otherwise SQLite would start over after each change by another process. */
const allPages = 2 ** 31 - 1;

export function isDatabase(firstBytes: Buffer): boolean {
  return firstBytes.subarray(0, magic.length).equals(magic);
}

/** @param to a file that does not exist yet @throws Error from SQLite or the system */
export async function copyDatabase(path: string, to: string): Promise<void> {
  // SQLite would make it readable for everybody.
  await (await open(to, 'wx', 0o600)).close();
  using source = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  await backup(source, to, { rate: allPages });
}
