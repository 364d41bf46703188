import type { BackupVersion } from '@skolo/api';
import { withoutName } from '@skolo/base';
import { limitOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { relative, timestamp } from '../../output/time.ts';
import { shortVersionId, sizeColumn } from './backup-text.ts';
import { oneName } from './equipment-names.ts';
import { canReadCopies, type ReaderOptions, withReader } from './reader.ts';

interface Options extends ReaderOptions {
  limit: number;
  json?: true;
}

/** `skolo backup list`: lists the versions of a device. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists configuration versions, newest last, even of equipment that was removed from rack.yaml. Other commands accept the name in the first column, an ID or ID prefix, or a date or time when the version was active.',
    )
    .summary('list versions')
    .argument('<equipment>', 'name in rack.yaml')
    .addOption(limitOption(10_000))
    .option('--json', 'print JSON');
  canReadCopies(command).example('skolo backup list router');

  command.action(async (word: string, options: Options) => {
    const equipment = oneName(word);
    const versions = await withReader(command, options, (reader) =>
      reader.versions(equipment, options.limit),
    );
    if (options.json) return printJson(command.io, { versions });
    const numbered = versions.map((version, number) => ({ version, number }));
    printTable(command.io, columns, numbered.toReversed());
    if (versions.length === 0) command.io.err(`${equipment}: not backed up yet`);
  });
}

interface Row {
  version: BackupVersion;
  number: number;
}

const columns: Column<Row>[] = [
  { title: 'VERSION', cell: ({ number }) => (number === 0 ? 'latest' : `latest~${number}`) },
  { title: 'READ', cell: ({ version }) => timestamp(version.time), leaveOut: 3 },
  { title: 'AGE', cell: ({ version }, now) => relative(version.time, now) },
  { ...sizeColumn(({ version }) => version.size), leaveOut: 1 },
  { title: 'WHAT', cell: ({ version }) => whatText(version), shrinkTo: 16 },
  {
    title: 'BY',
    cell: ({ version: { by, changedBy } }) => changedBy ?? by,
    shrinkTo: 8,
    leaveOut: 2,
  },
  { title: 'ID', cell: ({ version: { id } }) => shortVersionId(id), shrinkTo: 12, leaveOut: 0 },
];

/** `changed (+3 -1): new vlan for the lab`. */
function whatText({ equipment, summary, reason, partial }: BackupVersion): string | undefined {
  const what = summary && withoutName(summary, equipment);
  return [partial && 'only a part', what, reason].filter(Boolean).join(': ') || undefined;
}
