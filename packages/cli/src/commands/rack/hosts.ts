import type { Rack } from '@skolo/rack';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { loadRack } from '../../rack-file.ts';

type Formats = typeof import('@skolo/rack');

const formats = {
  hosts: ({ hostsFile }: Formats) => hostsFile,
  dnsmasq: ({ dnsmasqConfig }: Formats) => dnsmasqConfig,
  edgeos: ({ edgeosCommands }: Formats) => edgeosCommands,
} as const satisfies Record<string, (from: Formats) => (rack: Rack) => string>;

/** `skolo rack hosts`: the names and addresses of the rack, for what serves its DNS. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'All names and addresses of the rack, the alias `metadata` of the jumphost among them: as /etc/hosts, for dnsmasq, or as commands for an EdgeOS router.',
    )
    .summary('names and addresses, for the router')
    .addOption(
      new Option('--format <format>', 'for what').choices(Object.keys(formats)).default('hosts'),
    )
    .uses('rack')
    .example('skolo rack hosts --format dnsmasq > /etc/dnsmasq.d/rack4.conf');

  command.action(async ({ format }: { format: keyof typeof formats }) => {
    const rack = await loadRack(command.globals());
    const text = formats[format](await import('@skolo/rack'))(rack);
    io.out(text.trimEnd());
  });
}
