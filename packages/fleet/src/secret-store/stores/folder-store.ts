/**
 * A secret store of unencrypted files in a directory outside git that only its owner may enter: `FOLDER/RACK/NAME`. For use by one person.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '@skolo/base/durable';
import { StoreError } from '../errors.ts';
import { secretFrom } from '../values/value.ts';
import { fileAt, readText, writeText } from './file-tree.ts';
import type { SecretStore } from './store.ts';

/**
 * @param root absolute directory, created if it does not exist
 * @throws StoreError It is in a git clone, or others may enter it.
 */
export async function folderStore(root: string): Promise<SecretStore> {
  await checkFolder(root);
  const file = (place: string) => fileAt(root, place, '');
  return {
    title: root,
    async find(place) {
      const found = await stat(file(place)).catch(() => undefined);
      return found?.isFile() ? { changedAt: found.mtimeMs } : undefined;
    },
    async read(place, signal) {
      signal.throwIfAborted();
      const text = await readText(file(place));
      return text === undefined ? undefined : secretFrom(Buffer.from(text), file(place));
    },
    write: (place, value) => writeText(file(place), value.reveal(), false),
  };
}

async function checkFolder(root: string): Promise<void> {
  for (let at = root; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) {
      throw new StoreError(
        `${root}: this directory is in a git clone (${at}), so unencrypted values could be committed; choose a directory outside the clone`,
      );
    }
    if (at === dirname(at)) break;
  }
  await makeFolder(root, 0o700);
  const { mode } = await stat(root);
  if ((mode & 0o077) === 0) return;
  throw new StoreError(
    `${root}: other users on this computer can read it; run \`chmod 700 ${root}\``,
  );
}
