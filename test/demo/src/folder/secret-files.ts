/** Files with secrets, only below the demo's own directory. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { makeFolder } from '@skolo/base/durable';

/** Writes a secret if there is none. */
export function writeMissingSecret(dir: string, file: string, make: () => string): Promise<void> {
  return writeSecret(dir, file, (found) => (found === undefined ? make() : undefined));
}

/** Computes the new content from the existing one; undefined leaves it unchanged. */
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
  // The mode above only applies to a new file.
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
