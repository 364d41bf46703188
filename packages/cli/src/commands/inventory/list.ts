import type { Machine } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import {
  addFilters,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../../filters.ts';
import { printJson } from '../../io.ts';
import { yamlOf } from '../../output/yaml.ts';
import { loadRack } from '../../workstation/rack-file.ts';

interface Options extends FilterOptions {
  json?: true;
  yaml?: true;
}

const filters: Filter<Machine>[] = [
  { name: 'shelf', description: 'only machines on these shelves', of: ({ shelf }) => shelf },
  { name: 'kind', description: 'only machines of these kinds', of: ({ kind }) => kind },
];

/** `skolo inventory list`: rack.yaml with all ranges expanded. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints the machines, equipment and identities in rack.yaml with all ranges expanded. To see the wiring of an entry, use skolo rack show.',
    )
    .summary('print the inventory');
  addFilters(command, filters);
  command
    .option('--json', 'print JSON')
    .option('--yaml', 'print the expanded rack.yaml')
    .uses('rack')
    .example('skolo inventory list --kind rpi');

  command.action(async ({ json, yaml, ...options }: Options) => {
    const { io } = command;
    const isSelection = isFiltered(filters, options);
    if (json && yaml) command.error("specify '--json' or '--yaml', not both");
    if (isSelection && yaml) {
      command.error("options '--shelf' and '--kind' cannot be used with '--yaml'");
    }
    const rack = await loadRack(command.globals());
    const { expandedInventory } = await import('@skolo/rack');
    const machines = selected(io, [...rack.machines.values()], filters, options);
    if (json) {
      const found = new Map(machines.map((machine) => [machine.name, machine]));
      return printJson(io, expandedInventory({ ...rack, machines: found }));
    }
    if (yaml) return io.out(yamlOf(expandedInventory(rack)));
    const { printInventory, printMachines } = await import('./tables.ts');
    return isSelection ? printMachines(io, rack, machines) : printInventory(io, rack);
  });
}
