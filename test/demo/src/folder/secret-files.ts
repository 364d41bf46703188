/** Files with secrets, below the demo's own folder and nowhere else. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { makeFolder } from '@skolo/durable';

/** Writes a secret where there is none. */
export function writeMissingSecret(dir: string, file: string, make: () => string): Promise<void> {
  return writeSecret(dir, file, (found) => (found === undefined ? make() : undefined));
}

/** Asks for the new content, given the one that is there; undefined leaves it alone. */
export async function writeSecret(
  dir: string,
  file: string,
  change: (found: string | undefined) => string | undefined,
): Promise<void> {
  const path = resolve(dir, file);
  const below = relative(dir, path);
  if (below.startsWith('..') || isAbsolute(below)) return;
  const text = change(await readIfThere(path));
  if (text === undefined) return;
  await makeFolder(dirname(path));
  await writeFile(path, text, { mode: 0o600 });
  // The mode above is for a new file only.
  await chmod(path, 0o600);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
