/**
 * One process at a time. Node has no file locks, LevelDB has: an empty database is held open. The kernel lets go of it
 * when the process dies, and it holds between containers, too, where a pid says nothing.
 */
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../journal-unavailable.ts';
import { type Level, openLevel } from '../level.ts';

/** LevelDB writes some small files when it opens; on a full disk they take the room of this one. */
const reserveBytes = 65_536;

/** @throws Error Of LevelDB or the system. */
export async function lock(folder: string): Promise<() => Promise<void>> {
  const reserve = `${folder}.reserve`;
  const level = await openSomehow(folder, reserve);
  await keepReserve(reserve).catch(() => undefined);
  return () => level.close();
}

async function openSomehow(folder: string, reserve: string): Promise<Level> {
  try {
    return await openLevel(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'LOCKED') throw error;
    if (code === 'ENOSPC' || code === 'EDQUOT') await rm(reserve, { force: true });
    else await forget(folder);
    return openLevel(folder);
  }
}

/** Whatever is wrong with it, there is nothing in it. LOCK stays: another process may have it by now. */
async function forget(folder: string) {
  for (const name of await readdir(folder)) {
    if (name !== 'LOCK') await rm(join(folder, name), { force: true, recursive: true });
  }
}

async function keepReserve(path: string) {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size < reserveBytes) await writeFile(path, Buffer.alloc(reserveBytes), { mode: 0o600 });
}
