import type { BackupVersion } from '@skolo/api';
import { shownRemote } from '@skolo/backup';
import { count } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { paragraph, plain } from '../../output/text.ts';
import { relative, timestamp } from '../../output/time.ts';
import { shortVersionId, sizeColumn } from './backup-text.ts';
import { type CopyOptions, withCopy } from './copy.ts';
import { findEquipment } from './equipment-names.ts';

interface Options extends CopyOptions {
  json?: true;
}

/** Prints the devices of a copy with their newest versions. */
export async function printCopyStatus(
  command: SkoloCommand,
  options: Options,
  wanted: readonly string[],
): Promise<void> {
  const { io } = command;
  const { from, json } = options;
  const equipment = await withCopy(command, options, async (copy) => {
    const names = (await copy.devices()).map((name) => ({ name }));
    if (names.length === 0) {
      const place = shownRemote(from);
      throw new CliError(`${place} does not contain a copy of any configuration; check --from`);
    }
    const found: { name: string; newest: BackupVersion }[] = [];
    for (const { name } of findEquipment(io, wanted, names)) {
      const [newest] = await copy.versions(name, 1);
      if (newest !== undefined) found.push({ name, newest });
    }
    return found;
  });
  if (json) return printJson(io, { equipment });
  if (equipment.length === 0) return undefined;
  const head = `${count(equipment.length, 'configuration')} in ${shownRemote(from)}`;
  io.out(`${paragraph(plain(head), io.columns)}\n`);
  return printTable(io, columns, equipment);
}

const columns: Column<{ name: string; newest: BackupVersion }>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 12 },
  { title: 'MODEL', cell: ({ newest: { model } }) => model, shrinkTo: 8, leaveOut: 1 },
  { title: 'NEWEST', cell: ({ newest }) => timestamp(newest.time), leaveOut: 3 },
  { title: 'AGE', cell: ({ newest }, now) => relative(newest.time, now) },
  { ...sizeColumn(({ newest }) => newest.size), leaveOut: 2 },
  { title: 'ID', cell: ({ newest: { id } }) => shortVersionId(id), shrinkTo: 12, leaveOut: 0 },
];
