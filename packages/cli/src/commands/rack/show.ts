import type { Machine, Rack } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import {
  addFilters,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../../filters.ts';
import { type Io, printJson } from '../../io.ts';
import { yamlOf } from '../../output/yaml.ts';
import { loadRack } from '../../rack-file.ts';

interface Options extends FilterOptions {
  json?: true;
  yaml?: true;
}

const filters: Filter<Machine>[] = [
  { name: 'shelf', description: 'only machines of these shelves', of: ({ shelf }) => shelf },
  { name: 'kind', description: 'only machines of these kinds', of: ({ kind }) => kind },
];

/** `skolo rack show`: the expanded inventory, or entries with their wiring. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints the inventory with all ranges expanded. With names: each entry, its dependencies for power and network, and what goes dark with it.',
    )
    .summary('print the inventory, or entries with their wiring')
    .argument(
      '[names...]',
      'machines, devices, phones, identities, outlets (switch-1/14), addresses; ranges in quotes: rpi-[001-004]',
    );
  addFilters(command, filters);
  command
    .option('--json', 'print JSON')
    .option('--yaml', 'print the expanded rack.yaml')
    .uses('rack')
    .example('skolo rack show switch-1/14 skia-rpi2-rack4-shelf1-007');

  command.action(async (names: string[], { json, yaml, ...options }: Options) => {
    const isSelection = isFiltered(filters, options);
    if (json && yaml) command.error("give '--json' or '--yaml', not both");
    if (yaml && names.length > 0)
      command.error("option '--yaml' has no effect with names; use '--json'");
    if (isSelection && (yaml || names.length > 0)) {
      command.error("options '--shelf' and '--kind' have no effect with names or '--yaml'");
    }
    const rack = await loadRack(command.globals());
    if (names.length > 0) return showNames(command.io, rack, names, json);
    const { expandedInventory } = await import('@skolo/rack');
    const machines = selected(command.io, [...rack.machines.values()], filters, options);
    if (json) {
      const found = new Map(machines.map((machine) => [machine.name, machine]));
      return printJson(command.io, expandedInventory({ ...rack, machines: found }));
    }
    if (yaml) {
      return command.io.out(yamlOf(expandedInventory(rack)));
    }
    const { printInventory, printMachines } = await import('./inventory-tables.ts');
    return isSelection
      ? printMachines(command.io, rack, machines)
      : printInventory(command.io, rack);
  });
}

/** Shows known names, reports others. */
async function showNames(io: Io, rack: Rack, names: string[], json: true | undefined) {
  const { findSubjects } = await import('./subjects.ts');
  const { detailsAsJson, detailsOf, printDetails } = await import('./details.ts');
  const { subjects, unknown } = findSubjects(rack, names);
  for (const sentence of unknown) complain(io, sentence);
  if (unknown.length > 0) failPartly(io, subjects.length > 0);
  if (subjects.length === 0) return;
  const details = detailsOf(rack, subjects);
  if (json) {
    printJson(io, detailsAsJson(rack, details));
  } else {
    printDetails(io, rack, details);
  }
}
