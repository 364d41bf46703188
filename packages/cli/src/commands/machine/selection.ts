/**
 * Selects machines by names and filters, and decides when their number must be typed. A filter becomes a list of names before anything
 * is changed.
 */

import { type Machine, MachineCondition } from '@skolo/api';
import { conditionsOf, matching } from '@skolo/api/machine-filter';
import { count } from '@skolo/base';
import { Option } from 'commander';
import { upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import {
  addFilters,
  checkValues,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../../filters.ts';
import { mustType } from '../../must-type.ts';
import { expandedNames, findNamed, folded } from '../../names.ts';
import { plain } from '../../output/text.ts';
import { interruptible } from '../../reach/racks.ts';
import type { MachineState } from '../../reach/service-client.ts';

export interface SelectionOptions extends FilterOptions {
  text?: string;
}

export interface ChangeOptions extends SelectionOptions {
  count?: number;
}

/** For more than this fraction of the rack, the number of machines must be typed. machine-state enforces this too. */
const largePart = 0.1;
const mostMachines = 1000;

const filters: Filter<Machine>[] = [
  { name: 'shelf', description: 'only machines on these shelves', of: ({ shelf }) => shelf },
  {
    name: 'model',
    description: 'only machines of these kinds or with these phone models',
    of: modelsOf,
  },
  {
    name: 'condition',
    description: 'only machines with these conditions',
    values: [...MachineCondition.options, 'silent'],
    of: conditionsOf,
  },
  {
    name: 'code',
    description: 'only machines with one of these reason codes, such as battery-low',
    isOpen: true,
    of: ({ health }) => health?.reasons.map(({ code }) => code),
  },
  { name: 'pool', description: 'only machines in these pools', of: ({ pools }) => pools },
];

/** In the form of machine-state's filter. */
function modelsOf({ kind, devices }: Machine): string[] {
  const seen = devices.flatMap(({ kind, dimensions = {} }) => [
    ...(kind === undefined ? [] : [kind]),
    ...(dimensions.device_type ?? []),
    ...(dimensions.device_model ?? []),
  ]);
  return [...new Set([kind, ...seen])];
}

/** Adds options that select machines. */
export function addSelection(command: SkoloCommand): void {
  addFilters(command, filters);
  command.option('--text <words>', 'only machines whose data contains all these words');
}

/** Adds options that select machines for a change. */
export function addChangeSelection(command: SkoloCommand): void {
  addSelection(command);
  command.addOption(
    new Option('--count <n>', 'expected number of machines, to skip the confirmation').argParser(
      upTo(mostMachines),
    ),
  );
}

export function isSelection(words: readonly string[], options: SelectionOptions): boolean {
  return words.length > 0 || hasFilter(options);
}

function hasFilter(options: SelectionOptions): boolean {
  return isFiltered(filters, options) || options.text !== undefined;
}

/** Machines that match. Without names and filters all. Prints unknown names and sets the exit code. */
export function select(
  { io }: Pick<SkoloCommand, 'io'>,
  machines: readonly Machine[],
  words: readonly string[],
  options: SelectionOptions,
): Machine[] {
  checkValues(filters, options);
  const named = findNamed(io, expandedNames(words), machines, 'no such machine in rack.yaml');
  const found = selected(io, named, filters, options);
  const wanted = new Set(matching(machines, { text: options.text }));
  return found.filter((machine) => wanted.has(machine));
}

/**
 * Machines to change. Shows the matches of a filter, and asks for the number.
 *
 * @returns with their number for machine-state, if a person or an option has confirmed it
 * @throws CliError A name is unknown, nothing matches, or the person does not confirm. Nothing was changed.
 */
export async function selectForChange(
  command: SkoloCommand,
  service: MachineState,
  words: readonly string[],
  options: ChangeOptions,
): Promise<{ machines: Machine[]; count: number | undefined }> {
  const { io } = command;
  if (!isSelection(words, options)) command.error('specify machine names or a filter');
  const { machines: all } = await service.ask((client) => client.machines());
  const found = select(command, all, words, options);
  if (io.exitCode !== 0) throw new CliError('nothing was changed');
  if (found.length === 0) throw new CliError('no machines match; nothing was changed');
  const { length } = found;
  if (length === 1 && !hasFilter(options)) return { machines: found, count: 1 };
  if (!hasFilter(options) && length <= all.length * largePart) {
    return { machines: found, count: undefined };
  }
  io.err(plain(`${count(length, 'machine')}: ${folded(found.map(({ name }) => name))}`));
  if (options.count === undefined) {
    const question = { what: 'the number of machines', wanted: `${length}` };
    await interruptible(command, (signal) =>
      mustType(io, { ...question, option: `--count ${length}` }, signal),
    );
  } else if (options.count !== length) {
    throw new CliError(
      `--count ${options.count} does not match the number of machines; nothing was changed`,
    );
  }
  return { machines: found, count: length };
}
