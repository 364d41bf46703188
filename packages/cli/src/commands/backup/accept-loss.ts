import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { routerBackup } from '../../reach/service-client.ts';
import { lostLines } from './backup-text.ts';

interface Options {
  reason: string;
  json?: true;
}

/** `skolo backup accept-loss`: gives up versions that the history has lost. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Accepts that the history has lost versions, which are then no longer reported, and prints their number for each name. First restore what you can from a copy with skolo backup restore-history.',
    )
    .summary('accept the loss of versions')
    .requiredOption('--reason <text>', 'reason to record in the audit log')
    .option('--json', 'print JSON')
    .example("skolo backup accept-loss --reason 'the disk died and no copy exists'");

  command.action(async ({ reason, json }: Options) => {
    const { accepted } = await routerBackup(command).ask((client) =>
      client.acceptLoss({ body: { reason } }),
    );
    if (json) return printJson(command.io, { accepted });
    for (const line of accepted.flatMap(lostLines)) command.io.out(line);
    if (accepted.length === 0) command.io.err('no versions are lost');
    return undefined;
  });
}
