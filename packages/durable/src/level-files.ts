/** What is done to the files of a LevelDB database that could not be written. */
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readLog } from './leveldb/log.ts';

/** Names of the logs, oldest first. */
export async function logs(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const number = (name: string) => Number.parseInt(name, 10);
  return names
    .filter((name) => /^\d+\.log$/.test(name))
    .sort((left, right) => number(left) - number(right));
}

/** Cuts the newest log where the batch begins: it is the last one, nothing was written since. */
export async function removeFromLog(folder: string, batch: string): Promise<void> {
  const name = (await logs(folder)).at(-1);
  if (name === undefined) return;
  const path = join(folder, name);
  const { records, end, isCutShort } = readLog(await readFile(path));
  const record = records.find(({ payload }) => payload.includes(batch));
  if (!record && !isCutShort) return;
  const handle = await open(path, 'r+');
  try {
    await handle.truncate(record?.start ?? end);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Tries if there is room for what opening the database writes: the logs once more, as a table, and small files. */
export async function findRoom(folder: string): Promise<void> {
  const path = join(folder, 'room.tmp');
  let missing = 65_536;
  for (const name of await logs(folder)) missing += (await stat(join(folder, name))).size;
  try {
    const handle = await open(path, 'w', 0o600);
    try {
      for (; missing > 0; missing -= 65_536) await handle.writeFile(Buffer.alloc(65_536));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}
