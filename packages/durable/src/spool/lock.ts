/**
 * One process at a time. Node has no file locks, SQLite has: an empty database is locked. The kernel releases the lock when
 * the process dies, and it holds between containers, too, where a pid says nothing. Nothing is written, so that a full disk
 * does not matter. LevelDB locks the same file, so a process of an older version is noticed.
 */
import { open, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import { systemCode } from '../system-error.ts';

/** What SQLite reports, as the system would (https://sqlite.org/rescode.html). */
const codes = new Map([
  [5, 'LOCKED'],
  [8, 'EROFS'],
  [10, 'EIO'],
  [13, 'ENOSPC'],
  [14, 'EACCES'],
]);

/**
 * Creates the file where there is none. In this process nobody else may open it: to close a file releases its locks.
 *
 * @returns what releases it
 * @throws Error Of the system; with the code `LOCKED` where another process has it.
 */
export async function lock(path: string): Promise<() => void> {
  await makeFolder(dirname(path));
  await createIfMissing(path);
  // Only those who lock pay for SQLite, and versions of Node that warn of it need not.
  const { DatabaseSync } = await import('node:sqlite');
  const locked = () => {
    const database = new DatabaseSync(path);
    try {
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      throw error;
    }
    return () => database.close();
  };
  try {
    return locked();
  } catch (error) {
    if (!isNoDatabase(error)) throw asSystemError(error);
  }
  // Nothing of ours was ever in it.
  await truncate(path);
  return locked();
}

async function createIfMissing(path: string) {
  const isThere = await stat(path).then(
    () => true,
    (error) => systemCode(error) !== 'ENOENT',
  );
  if (isThere) return;
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function isNoDatabase(error: unknown): boolean {
  return [11, 26].includes(resultOf(error));
}

function asSystemError(error: unknown): unknown {
  const code = codes.get(resultOf(error));
  return code === undefined ? error : Object.assign(new Error(code, { cause: error }), { code });
}

/** Of SQLite; -1 where it is not its error. */
function resultOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : -1;
}
