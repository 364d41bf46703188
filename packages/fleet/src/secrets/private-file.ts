/** An in-memory file that only this user may read, and that is deleted when this process ends for any reason. */

import { readFile, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closing } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { FleetError } from '../errors.ts';
import { startGuardian } from '../way/local/guardian.ts';

/** tmpfs and ramfs, by statfs(2). */
const inMemory = new Set([0x01021994, 0x858458f6]);

/**
 * Writes a secret to such a file and passes its path to `use`. Returns the file's content afterwards.
 *
 * @param name of the file, in its own directory
 * @throws FleetError This computer has no in-memory file system for the user.
 */
export async function withPrivateFile(
  env: NodeJS.ProcessEnv,
  name: string,
  value: Secret,
  use: (path: string) => Promise<void>,
): Promise<Secret> {
  // It removes the directory even after SIGKILL.
  const folder = await memoryFolder(env);
  await using guardian = closing(await startGuardian({ ...env, XDG_RUNTIME_DIR: folder }));
  const path = join(guardian.folder, name);
  await writeFile(path, value.reveal(), { mode: 0o600, flag: 'wx' });
  await use(path);
  return new Secret(await readFile(path, 'utf8'));
}

async function memoryFolder({ XDG_RUNTIME_DIR }: NodeJS.ProcessEnv): Promise<string> {
  for (const folder of [XDG_RUNTIME_DIR, '/dev/shm']) {
    if (!folder) continue;
    const type = await statfs(folder).then(
      (found) => found.type,
      () => undefined,
    );
    if (type !== undefined && inMemory.has(type)) return folder;
  }
  throw new FleetError(
    'the unencrypted text cannot be kept in memory, because neither XDG_RUNTIME_DIR nor /dev/shm is a tmpfs; use skolo secrets set or sops instead',
  );
}
