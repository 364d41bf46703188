import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../io.ts';
import { routerBackup } from '../../service-client.ts';
import { lostLines } from './backup-words.ts';

interface Options {
  reason: string;
  json?: true;
}

/** `skolo backup accept-loss`: what is lost from the history is reported no longer. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Gives up the versions that are lost from the history, and prints them. They are not reported any more. First restore what a copy has: skolo backup restore-history.',
    )
    .summary('give up versions that are lost from the history')
    .requiredOption('--reason <text>', 'for the audit log')
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo backup accept-loss --reason 'the disk died, and there was no copy'");

  command.action(async ({ reason, json }: Options) => {
    const service = await routerBackup(command);
    const { accepted } = await service.ask((client) => client.acceptLoss({ body: { reason } }));
    if (json) return printJson(io, { accepted });
    for (const line of accepted.flatMap(lostLines)) io.out(line);
    if (accepted.length === 0) io.err('nothing is lost');
    return undefined;
  });
}
