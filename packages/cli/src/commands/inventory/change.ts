/** `skolo inventory add`, `remove` and `set`: edits of rack.yaml that keep its comments and ranges. */
import { count } from '@skolo/base';
import type { MachineValues } from '@skolo/rack/edit';
import { didYouMean, expandRange } from '@skolo/rack/light';
import { Option } from 'commander';
import { several } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { expandedNames } from '../../names.ts';
import { editInventory } from './edit-file.ts';
import { addNewRackOptions, type NewRackOptions, newRack } from './new-rack.ts';

interface AddOptions extends NewRackOptions {
  kind: string;
  address?: string;
  mac?: string;
  set: string[];
}

export function add(command: SkoloCommand): void {
  addNewRackOptions(
    command
      .description(
        'Adds machines to rack.yaml, after the existing ones. Each value either applies to all names or is a range with one value per name. The file is changed only if the result is valid. --create writes a new rack.yaml, in which the first machine is the jumphost. The new file contains `acts: false`: until you remove that line, services do not change anything in the rack.',
      )
      .summary('add machines')
      .argument('<names...>', 'names of new machines; ranges allowed')
      .addOption(
        new Option('--kind <kind>', 'machine kind').choices(['rpi', 'host']).default('rpi'),
      )
      .option('--address <range>', 'addresses: 10.1.1.[2-11]')
      .option('--mac <range>', 'MAC addresses, separated by commas')
      .option('--set <key=value>', 'value for any other machine key; repeatable', several, []),
  )
    .uses('rack')
    .example(
      "skolo inventory add 'host[01-10]' --address '10.1.1.[2-11]' --create desk --rack desk/rack.yaml",
    );

  command.action(async (words: string[], options: AddOptions) => {
    const names = expandedNames(words);
    const { kind, address, mac } = options;
    const pairs = [
      `kind=${kind}`,
      ...(address === undefined ? [] : [`address=${address}`]),
      ...(mac === undefined ? [] : [`mac=${mac}`]),
      ...options.set,
    ];
    const values = valuesOf(command, pairs, names.length);
    await editInventory(command, async (text, file) => {
      const { addMachines } = await import('@skolo/rack/edit');
      if (text !== undefined) return addMachines(text, names, values, file);
      const [first = '', ...others] = names;
      const head = await newRack(
        command,
        { name: first, address: valueAt(values.get('address'), 0) },
        options,
      );
      const rest = new Map(
        [...values].map(([key, value]) => [
          key,
          typeof value === 'string' ? value : value.slice(1),
        ]),
      );
      return others.length === 0 ? head : addMachines(head, others, rest, file);
    });
  });
}

function valueAt(value: string | readonly string[] | undefined, at: number): string | undefined {
  return typeof value === 'string' ? value : value?.[at];
}

export function remove(command: SkoloCommand): void {
  command
    .description(
      'Removes machines from rack.yaml. If a name is part of a range, the other names in the range are kept. Services forget the machines when you push the file.',
    )
    .summary('remove machines')
    .argument('<names...>', 'machines; ranges allowed')
    .uses('rack')
    .example("skolo inventory remove 'host[09-10]' --rack desk/rack.yaml");

  command.action(async (words: string[]) => {
    await editInventory(command, async (text = '', file) => {
      const names = await knownNames(text, words, file);
      const { removeMachines } = await import('@skolo/rack/edit');
      return removeMachines(text, names, file);
    });
  });
}

export function set(command: SkoloCommand): void {
  command
    .description(
      'Sets values of machines in rack.yaml. Each value either applies to all names or is a range with one value per name. A machine whose value no longer fits the range that it belongs to gets its own entry.',
    )
    .summary('set machine values')
    .argument('<names>', 'machines; ranges allowed')
    .argument('<key=value...>', 'machine keys in rack.yaml')
    .uses('rack')
    .example("skolo inventory set 'host[02-03]' address=10.1.1.[22-23] shelf=left");

  command.action(async (range: string, pairs: string[]) => {
    await editInventory(command, async (text = '', file) => {
      const names = await knownNames(text, [range], file);
      const { setMachines } = await import('@skolo/rack/edit');
      return setMachines(text, names, valuesOf(command, pairs, names.length), file);
    });
  });
}

/** @throws CliError One is not in rack.yaml. */
async function knownNames(text: string, words: readonly string[], file: string): Promise<string[]> {
  const { parseRack } = await import('@skolo/rack');
  const { machines } = parseRack(text, { file });
  const names = expandedNames(words);
  const unknown = names.find((name) => !machines.has(name));
  if (unknown === undefined) return names;
  throw new CliError(
    `${unknown}: no such machine in rack.yaml, so nothing was changed${didYouMean(unknown, machines.keys())}`,
  );
}

function valuesOf(
  command: SkoloCommand,
  pairs: readonly string[],
  machines: number,
): MachineValues {
  return new Map(
    pairs.map((pair): [string, string | string[]] => {
      const [, key = '', value = ''] = /^(\w+)=(.+)$/s.exec(pair) ?? [];
      if (key === '') command.error(`${pair}: expected KEY=VALUE`);
      if (/^[{[]/.test(value)) return [key, value];
      // MAC addresses are given as a list.
      const each = (key === 'mac' ? value.split(',') : [value]).flatMap((part) =>
        expandRange(part),
      );
      if (each.length === 1) return [key, each[0] ?? ''];
      if (each.length === machines) return [key, each];
      return command.error(
        `${pair}: ${each.length} values for ${count(machines, 'machine')}; specify one for each`,
      );
    }),
  );
}
