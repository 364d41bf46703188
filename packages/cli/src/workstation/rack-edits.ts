/**
 * Edits of rack.yaml that keep its comments and ranges. Decides when an edit conflicts with another: the file has changed in the meantime.
 */
import { readFile, realpath } from 'node:fs/promises';
import type { RackEdit } from '@skolo/rack/edit';
import { CliError } from '../errors.ts';

/** rack.yaml after all edits, and the difference; empty: none. @throws RackError It would not be valid. */
export async function editedRack(text: string, edits: readonly RackEdit[], file: string) {
  if (edits.length === 0) return { text, left: [], diff: '' };
  const [{ editRack }, { difference }] = await Promise.all([
    import('@skolo/rack/edit'),
    import('@skolo/backup'),
  ]);
  const edited = editRack(text, edits, file);
  return { ...edited, diff: difference(text, edited.text, { from: file, to: file }) };
}

/** @throws CliError Somebody else has changed it in the meantime. */
export async function writeRackFile(file: string, before: string, after: string): Promise<void> {
  const { writeFileAtomic } = await import('@skolo/base/durable');
  const target = await realpath(file);
  if ((await readFile(target, 'utf8')) !== before) {
    throw new CliError(
      `${file}: another program has changed this file, so nothing was written; run the command again`,
    );
  }
  await writeFileAtomic(target, after, { keepAccess: true });
}
