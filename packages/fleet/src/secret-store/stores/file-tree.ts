/** Files of a store below a directory. */
import { chmod } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '@skolo/base';
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
