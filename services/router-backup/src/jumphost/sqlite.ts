/**
 * Copies a SQLite database that another process may be writing to (k3s keeps its cluster in one). SQLite itself makes the copy as of one
 * moment, with every transaction that was committed before.
 *
 * The copy is in the clear, with mode 0600, in a directory of this program alone. SQLite can only write a file, and k3s' own database is on the same
 * disk in the clear, so encrypting the copy would protect nothing. Memory (/dev/shm) is too small: a cluster's database has hundreds of
 * megabytes, and the service may use 512 MiB. The copy is removed once it is in the archive. A copy that a killed process left is removed
 * at the next start, with its directory.
 */
import { open, stat } from 'node:fs/promises';
import { backup, DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { ifThere } from '@skolo/base';

const magic = Buffer.from('SQLite format 3\0');
/** How long to wait for a writer that locks the database. */
const busyMs = 30_000;
/** All pages in one transaction: otherwise SQLite would start over after each change by another process. */
const allPages = 2 ** 31 - 1;

export function isDatabase(firstBytes: Buffer): boolean {
  return firstBytes.subarray(0, magic.length).equals(magic);
}

/** SQLITE_READONLY_DIRECTORY, https://sqlite.org/rescode.html */
const cannotMakeLog = 1544;

/** @param to a file that does not exist yet @throws Error from SQLite or the system */
export async function copyDatabase(path: string, to: string): Promise<void> {
  // SQLite would make it readable for everybody.
  await (await open(to, 'wx', 0o600)).close();
  const source = pathToFileURL(path);
  try {
    return await copy(source, to);
  } catch (error) {
    const isClosed =
      error instanceof Error && 'errcode' in error && error.errcode === cannotMakeLog;
    if (!isClosed) throw error;
  }
  // It has no log, because nobody has opened it, and this process may not write into its directory.
  source.searchParams.set('immutable', '1');
  await copy(source, to);
  if ((await ifThere(stat(`${path}-wal`))) !== undefined) await copy(pathToFileURL(path), to);
}

async function copy(source: URL, to: string): Promise<void> {
  using database = new DatabaseSync(source, { readOnly: true, timeout: busyMs });
  await backup(database, to, { rate: allPages });
}
