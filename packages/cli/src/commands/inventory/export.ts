import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { loadRack } from '../../workstation/rack-file.ts';

const formats = ['hosts', 'dnsmasq', 'edgeos', 'ansible', 'ssh-config'] as const;
type Format = (typeof formats)[number];

/** `skolo inventory export`: the rack's names and addresses, for other programs. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints all names and addresses in the rack, including aliases such as `metadata`, as /etc/hosts, for dnsmasq, or as commands for an EdgeOS router. The jumphost and the machines can also be printed as an Ansible inventory or SSH configuration.',
    )
    .summary('print names and addresses for other programs')
    .addOption(new Option('--format <format>', 'output format').choices(formats).default('hosts'))
    .uses('rack')
    .example('skolo inventory export --format dnsmasq > /etc/dnsmasq.d/rack4.conf');

  command.action(async ({ format }: { format: Format }) => {
    const rack = await loadRack(command.globals());
    const formatters = await import('@skolo/rack');
    const textOf = {
      hosts: formatters.hostsFile,
      dnsmasq: formatters.dnsmasqConfig,
      edgeos: formatters.edgeosCommands,
      ansible: formatters.ansibleInventory,
      'ssh-config': formatters.sshConfig,
    }[format];
    command.io.out(textOf(rack).trimEnd());
  });
}
