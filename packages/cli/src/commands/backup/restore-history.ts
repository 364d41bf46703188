import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { canReadCopies, type ReaderOptions } from './reader.ts';

interface Options extends ReaderOptions {
  reason: string;
  json?: boolean;
}

/** `skolo backup restore-history`: a history that was lost, out of a copy. */
export function addBackupRestoreHistory(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('restore-history')
    .description(
      'Restores the history of all devices from a copy, after the repository of the rack was lost. It is opened here, so the age identity stays here, and sent to the router backup, which appends what it has stored since. It ends with 3 when a version of the copy cannot be opened, or when versions are still lost.',
    )
    .summary('restore a lost history from a copy')
    .requiredOption('--reason <text>', 'for the audit log')
    .option('--json', 'print JSON');
  canReadCopies(command).example(
    "skolo backup restore-history --from gs://my-backups/rack4 --identity key.txt --reason 'new disk'",
  );

  command.action(async ({ from, identity, reason, json = false }: Options) => {
    if (from === undefined) return command.error("option '--from' is missing: where is the copy?");
    const { restoreHistory } = await import('./send-history.ts');
    const copy = { io, from, ...(identity !== undefined && { identity }) };
    const result = await restoreHistory({ ...copy, command, reason });
    if (json) return printJson(io, result);
    const { lostLines } = await import('./lost-lines.ts');
    const { count } = await import('../../output/text.ts');
    for (const { id, why } of result.unreadable) io.out(`${id}: not restored: ${why}`);
    for (const line of result.lost.flatMap(lostLines)) io.out(line);
    const { devices, versions } = result;
    io.out(
      `restored: ${count(devices, 'device')}; the history has ${count(versions, 'version')} now`,
    );
    return undefined;
  });
}
