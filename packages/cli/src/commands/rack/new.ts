import { Option } from 'commander';
import { ipv4 } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { editInventory } from '../inventory/edit-file.ts';
import { addNetworkOptions, type NetworkOptions, newRack } from '../inventory/new-rack.ts';

interface Options extends NetworkOptions {
  jumphost?: string;
  address?: string;
}

/** `skolo rack new`: writes an initial rack.yaml. */
export function define(command: SkoloCommand): void {
  addNetworkOptions(
    command
      .description(
        'Writes a rack.yaml with `acts: false`, so that services only observe the rack until you remove that line. To add machines to the file, run skolo inventory import or skolo inventory add.',
      )
      .summary('write a new rack.yaml for services that only observe')
      .argument('[name]', 'rack name; required')
      .option('--jumphost <name>', 'host name of the jumphost; required')
      .addOption(
        new Option('--address <address>', 'address of the jumphost; required').argParser(ipv4),
      ),
  )
    .uses('rack')
    .example(
      'skolo rack new rack5 --jumphost jumphost-rack5 --address 192.168.1.8 --rack rack5.yaml',
    );

  command.action(async (create: string | undefined, { jumphost, address, ...network }: Options) => {
    if (create === undefined || jumphost === undefined || address === undefined) {
      const needed = {
        'a name': create,
        '--jumphost NAME': jumphost,
        '--address ADDRESS': address,
      };
      const missing = Object.entries(needed).flatMap(([what, value]) => (value ? [] : [what]));
      return command.error(
        `specify ${missing.join(', ')}, as in skolo rack new rack5 --jumphost jumphost-rack5 --address 192.168.1.8`,
      );
    }
    const edit = () => newRack(command, { name: jumphost, address }, { ...network, create });
    await editInventory(command, edit, { isNew: true });
  });
}
