import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Of a folder that other clones use, too: what was written so many days ago. */
export async function removeOld(
  dir: string,
  isOld: (name: string, days: number) => boolean,
): Promise<void> {
  for (const name of await readdir(dir)) {
    const file = join(dir, name);
    // Another one may have removed it already.
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
    if (isOld(name, (Date.now() - mtimeMs) / 86_400_000))
      await rm(file, { recursive: true, force: true });
  }
}
