import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { printTable } from '../../output/table.ts';
import { timestamp } from '../../output/time.ts';
import { askServices, hostKeyServices } from './host-key-services.ts';

/** `skolo equipment keys`: lists pinned ssh host keys. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists the ssh host keys of equipment that services pinned at the first connection. Services do not sign in to a device with another key. The list excludes keys from rack.yaml.',
    )
    .summary('list pinned ssh host keys')
    .option('--json', 'print JSON')
    .example('skolo equipment keys --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const services = await hostKeyServices(command);
    const answers = await askServices(command.io, services, async ({ name, service }) => {
      const { hostKeys } = await service.ask((client) => client.hostKeys());
      return hostKeys.map((key) => ({ ...key, service: name }));
    });
    const hostKeys = answers.flat().sort((a, b) => byNumber(a.device, b.device));
    if (json) return printJson(command.io, { hostKeys });
    return printTable(
      command.io,
      [
        { title: 'DEVICE', cell: ({ device }) => device, shrinkTo: 12 },
        { title: 'FINGERPRINT', cell: ({ fingerprint }) => fingerprint, shrinkTo: 16 },
        {
          title: 'FIRST SEEN',
          cell: ({ firstSeen }) => timestamp(firstSeen),
          leaveOut: 2,
        },
        { title: 'PINNED BY', cell: ({ service }) => service, leaveOut: 1 },
      ],
      hostKeys,
    );
  });
}
