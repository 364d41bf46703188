import type { Machine } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { type Io, printJson } from '../../io.ts';
import { headline, printOverview } from '../../output/overview.ts';
import { machineState } from '../../reach/service-client.ts';
import { byUrgency, columns, conditions, remarksOf } from './machine-text.ts';
import { addSelection, isSelection, type SelectionOptions, select } from './selection.ts';

interface Options extends SelectionOptions {
  needsAttention?: true;
  watch?: true;
  json?: true;
}

/** `skolo machine list`: lists machines as all services report them. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists machines with their condition, the reason for it, their tasks and phones, and causes that several machines share. Machines that need attention come first. The data comes from machine-state; if that service is down, use skolo machine status.',
    )
    .summary('list machines with their condition')
    .argument('[names...]', "machine names (default: all); quote ranges: 'rpi-[001-040]'");
  addSelection(command);
  command
    .option(
      '--needs-attention',
      'print a work list: shared causes, followed by the machines that need attention, sorted by shelf; with --watch, print only the machines',
    )
    .option('--watch', 'update the list whenever something changes, until you press Ctrl-C')
    .option('--json', 'print JSON; with --watch, one line per change')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo machine list --shelf shelf1 --condition quarantined,gone');

  command.action(async (words: string[], options: Options) => {
    const { io } = command;
    const service = machineState(command);
    const shown = (machines: readonly Machine[]) => {
      const found = select(command, machines, words, options).toSorted(byUrgency);
      return options.needsAttention
        ? found.filter(({ needsAttention }) => needsAttention !== undefined)
        : found;
    };
    if (options.watch) {
      const { watchMachines } = await import('./watch-machines.ts');
      const print = (machines: readonly Machine[]) => {
        io.exitCode = 0;
        printMachines(io, shown(machines), machines.length, isSelection(words, options));
      };
      return watchMachines(io, service, options.json ? { shown } : { print });
    }
    const { machines } = await service.ask((client) => client.machines());
    const found = shown(machines);
    if (options.needsAttention) {
      const names = new Set(select(command, machines, words, options).map(({ name }) => name));
      const { causes: all } = await service.ask((client) => client.rack());
      const causes = all.filter((cause) => cause.machines.some((name) => names.has(name)));
      if (options.json) return printJson(io, { machines: found, causes });
      const { printWork } = await import('./work-list.ts');
      return printWork(io, found, causes, machines);
    }
    if (options.json) return printJson(io, { machines: found });
    if (found.length === 0 && words.length > 0) return undefined;
    return printMachines(io, found, machines.length, isSelection(words, options));
  });
}

function printMachines(io: Io, rows: readonly Machine[], all: number, isSelection: boolean): void {
  const verdict = ({ condition }: Machine) => condition;
  printOverview(io, {
    head: [headline({ rows, all, noun: 'machine', verdict, order: conditions })],
    rows,
    columns: columns(io.now()),
    remarks: rows.flatMap(remarksOf),
    verdict,
    isFoldable: (machine) => machine.condition === 'ok' && remarksOf(machine).length === 0,
    isSelection,
  });
}
