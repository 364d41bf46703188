import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { loadRack } from '../../rack-file.ts';

const formats = ['hosts', 'dnsmasq', 'edgeos'] as const;

/** `skolo rack hosts`: names and addresses of the rack, for a DNS server. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints all names and addresses of the rack, aliases such as `metadata` included: as /etc/hosts, for dnsmasq, or as commands for an EdgeOS router.',
    )
    .summary('print names and addresses for a DNS server')
    .addOption(new Option('--format <format>', 'output format').choices(formats).default('hosts'))
    .uses('rack')
    .example('skolo rack hosts --format dnsmasq > /etc/dnsmasq.d/rack4.conf');

  command.action(async ({ format }: { format: (typeof formats)[number] }) => {
    const rack = await loadRack(command.globals());
    const { dnsmasqConfig, edgeosCommands, hostsFile } = await import('@skolo/rack');
    const textOf = { hosts: hostsFile, dnsmasq: dnsmasqConfig, edgeos: edgeosCommands }[format];
    command.io.out(textOf(rack).trimEnd());
  });
}
