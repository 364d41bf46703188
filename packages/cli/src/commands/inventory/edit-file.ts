/** Edits the inventory file atomically, after validating the result. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { count, errorCode, ifThere } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, failPartly } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { writeRackFile } from '../../workstation/rack-edits.ts';
import { printDiff } from '../backup/diff.ts';

/**
 * @param edit gets the text, undefined if there is no file
 * @throws RackError The file would not be valid. @throws CliError It has to be edited by hand.
 */
export async function editInventory(
  command: SkoloCommand,
  edit: (text: string | undefined, file: string) => Promise<string>,
  { isNew = command.opts().create !== undefined }: { isNew?: boolean } = {},
): Promise<void> {
  const { io } = command;
  const { rack: file } = command.globals();
  const before = await ifThere(readFile(file, 'utf8'));
  if (before === undefined && !isNew) {
    throw new CliError(
      `${file}: no such file; create one with skolo inventory add --create NAME`,
      exitCodes.badConfiguration,
    );
  }
  if (before !== undefined && isNew) {
    const hint = command.opts().create === undefined ? 'specify' : 'omit --create, or specify';
    throw new CliError(`${file} already exists; ${hint} another file`);
  }
  const after = await edited(edit, before, file);
  if (after === before) return io.err(`${file}: nothing to change`);
  const { difference } = await import('@skolo/backup');
  printDiff(io, difference(before ?? '', after, { from: file, to: file }));
  if (before !== undefined) await writeRackFile(file, before, after);
  else {
    const { makeFolder, writeFileAtomic } = await import('@skolo/base/durable');
    await makeFolder(dirname(file), 0o755);
    // It contains no secrets, and a service reads it as another user.
    await writeFileAtomic(file, after, { mode: 0o644 });
  }
  io.err(`${file}: written`);
}

async function edited(
  edit: (text: string | undefined, file: string) => Promise<string>,
  before: string | undefined,
  file: string,
): Promise<string> {
  try {
    return await edit(before, file);
  } catch (error) {
    if (!(error instanceof Error) || errorCode(error) !== 'BY_HAND') throw error;
    throw new CliError(`${file}: ${error.message}; nothing was changed; edit the file manually`);
  }
}

/** Lists rows of an import that have errors. The exit code is 3 if others were imported. */
export function rejectRows(io: Io, rows: readonly string[], isAnyDone: boolean): void {
  if (rows.length === 0) return;
  for (const row of rows) io.err(plain(`not imported: ${row}`));
  io.err(`${count(rows.length, 'row')} with errors; fix them, then import again`);
  failPartly(io, isAnyDone);
}
