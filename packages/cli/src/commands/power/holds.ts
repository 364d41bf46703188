import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';

/** `skolo power holds`: what is under repair, and until when. */
export function addPowerHolds(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('holds')
    .description('What is held, by whom, until when and why: nobody can cycle it until then.')
    .summary('what is under repair, and until when')
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo power holds --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const { powerCycleDaemon } = await import('./daemon.ts');
    const daemon = await powerCycleDaemon(command);
    const { holds } = await daemon.ask((client) => client.holds());
    if (json) return printJson(io, { holds });
    const { printHolds } = await import('./holds-table.ts');
    return printHolds(io, holds);
  });
}
