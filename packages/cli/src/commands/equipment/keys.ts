import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../io.ts';
import { printTable } from '../../output/table.ts';
import { timestamp } from '../../output/time.ts';
import { askKeepers, keyKeepers } from './key-keepers.ts';

/** `skolo equipment keys`: by which keys the services know the equipment again. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'The ssh host keys of equipment that services pinned when they first saw them. A device that shows another one is not signed in to. Keys that rack.yaml names are not among them.',
    )
    .summary('the host keys that services know equipment by')
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo equipment keys --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const keepers = await keyKeepers(command);
    const answers = await askKeepers(io, keepers, async ({ name, service }) => {
      const { hostKeys } = await service.ask((client) => client.hostKeys());
      return hostKeys.map((key) => ({ ...key, service: name }));
    });
    const collator = new Intl.Collator('en', { numeric: true });
    const hostKeys = answers.flat().sort((a, b) => collator.compare(a.device, b.device));
    if (json) return printJson(io, { hostKeys });
    return printTable(
      io,
      [
        { title: 'DEVICE', cell: ({ device }) => device, shrinkTo: 12 },
        { title: 'FINGERPRINT', cell: ({ fingerprint }) => fingerprint, shrinkTo: 16 },
        {
          title: 'FIRST SEEN',
          cell: ({ firstSeen }) => timestamp(firstSeen),
          leaveOut: 2,
        },
        { title: 'KNOWN TO', cell: ({ service }) => service, leaveOut: 1 },
      ],
      hostKeys,
    );
  });
}
