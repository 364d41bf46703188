/** Files of a store below a directory. */
import { chmod, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, ifThere } from '@skolo/base';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { StoreError } from '../errors.ts';

/**
 * The file of a place.
 *
 * @throws StoreError The place is outside the store.
 */
export function fileAt(root: string, place: string, suffix: string): string {
  const isPlain = place.split('/').every((part) => /^(?!\.)[\w.@+-]+$/.test(part));
  if (isPlain) return join(root, `${place}${suffix}`);
  throw new StoreError(
    `${place}: not a valid secret name; use letters, digits and . _ @ + -, and do not start with a dot`,
  );
}

export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFileIfExists(file);
  } catch (cause) {
    throw new StoreError(
      `${file} cannot be read (${errorCode(cause) ?? 'unknown'}); check its permissions`,
      { cause },
    );
  }
}

/** @param isOpen the content is encrypted, and others may read it */
export async function writeText(file: string, text: string, isOpen: boolean): Promise<void> {
  await makeFolder(dirname(file), isOpen ? 0o755 : 0o700);
  if (!isOpen) await chmod(dirname(file), 0o700);
  await writeFileAtomic(file, text, { mode: isOpen ? 0o644 : 0o600 });
}

export async function removeFile(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** Places with this suffix below a directory. */
export async function placesIn(root: string, folder: string, suffix: string): Promise<string[]> {
  const read = readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const entries = (await ifThere(read)) ?? [];
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix) && !entry.name.startsWith('.'))
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .map((path) => (suffix === '' ? path : path.slice(0, -suffix.length)))
    .sort();
}
