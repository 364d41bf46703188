/**
 * Locks a directory, so that only one process at a time uses it. Node has no file locks, so SQLite locks an empty database. The kernel
 * releases the lock when the process dies. The lock works between containers, where a pid is meaningless. It writes nothing, so it works
 * on a full disk.
 */
import { open, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '@skolo/base';
import { makeFolder } from '../files/make-folder.ts';

/** System codes for errors of SQLite (https://sqlite.org/rescode.html). */
const codes = new Map([
  [5, 'LOCKED'],
  [8, 'EROFS'],
  [10, 'EIO'],
  [13, 'ENOSPC'],
  [14, 'EACCES'],
]);

/**
 * Creates a missing file. Other code of this process must not open it: closing a file releases its locks.
 *
 * @returns a function that releases it
 * @throws Error From the system, or with the code `LOCKED` if another process has it.
 */
export async function lock(path: string): Promise<() => void> {
  await makeFolder(dirname(path));
  await createIfMissing(path);
  // Loaded on demand: SQLite costs memory, and some versions of Node warn of it.
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
  // The file has no data.
  await truncate(path);
  return locked();
}

/** Does not open an existing one: closing it would release its locks. */
async function createIfMissing(path: string) {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

function isNoDatabase(error: unknown): boolean {
  return [11, 26].includes(resultOf(error));
}

function asSystemError(error: unknown): unknown {
  const code = codes.get(resultOf(error));
  return code === undefined ? error : Object.assign(new Error(code, { cause: error }), { code });
}

/** Result code of SQLite; -1 for other errors. */
function resultOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : -1;
}
