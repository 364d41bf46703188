/**
 * One process at a time. Node has no file locks, LevelDB has: an empty database is held open. The kernel lets go of it
 * when the process dies, and it holds between containers, too, where a pid says nothing.
 */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../journal-unavailable.ts';
import { causeCode, type Level, openLevel } from '../level.ts';

/** LevelDB writes some small files when it opens; on a full disk they take the room of this one. */
const reserveBytes = 65_536;

/** @throws Error Of LevelDB or the system; its cause has the code LEVEL_LOCKED where another process has the lock. */
export async function lock(folder: string): Promise<() => Promise<void>> {
  const reserve = `${folder}.reserve`;
  const level = await openSomehow(folder, reserve);
  // Best effort: there may be no room for it.
  await writeFile(reserve, Buffer.alloc(reserveBytes), { mode: 0o600 }).catch(() => undefined);
  return () => level.close();
}

async function openSomehow(folder: string, reserve: string): Promise<Level> {
  try {
    return await openLevel(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT')
      await rm(reserve, { force: true });
    else if (causeCode(error) === 'LEVEL_CORRUPTION') await forget(folder);
    else throw error;
    return openLevel(folder);
  }
}

/** There is nothing in it. What is locked stays: another process may be doing the same. */
async function forget(folder: string) {
  for (const name of await readdir(folder)) {
    if (name !== 'LOCK') await rm(join(folder, name), { force: true, recursive: true });
  }
}
