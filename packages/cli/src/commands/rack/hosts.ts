import type { Rack } from '@skolo/rack';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { loadRack } from '../../rack-file.ts';

type Formats = typeof import('@skolo/rack');

const formats = {
  hosts: ({ hostsFile }: Formats) => hostsFile,
  dnsmasq: ({ dnsmasqConfig }: Formats) => dnsmasqConfig,
  edgeos: ({ edgeosCommands }: Formats) => edgeosCommands,
} as const satisfies Record<string, (from: Formats) => (rack: Rack) => string>;

/** `skolo rack hosts`: names and addresses of the rack, for a DNS server. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints all names and addresses of the rack, aliases such as `metadata` included: as /etc/hosts, for dnsmasq, or as commands for an EdgeOS router.',
    )
    .summary('print names and addresses for a DNS server')
    .addOption(
      new Option('--format <format>', 'output format')
        .choices(Object.keys(formats))
        .default('hosts'),
    )
    .uses('rack')
    .example('skolo rack hosts --format dnsmasq > /etc/dnsmasq.d/rack4.conf');

  command.action(async ({ format }: { format: keyof typeof formats }) => {
    const rack = await loadRack(command.globals());
    const text = formats[format](await import('@skolo/rack'))(rack);
    command.io.out(text.trimEnd());
  });
}
