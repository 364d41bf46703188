import type { Argument, Command, Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';

/** `skolo completion words`: called by the completion scripts. */
export function define(command: SkoloCommand): void {
  command
    .description('Prints possible completions for the last word, one per line.')
    .summary('print completions for the last word')
    .argument('[words...]', 'the command line without `skolo`, up to the cursor')
    .uses()
    .example("skolo completion words -- power cycle ''");

  command.action(async (words: string[]) => {
    const current = words.at(-1) ?? '';
    const before = words.slice(0, -1);
    // Lists are separated by commas.
    const given = current.slice(0, current.lastIndexOf(',') + 1);
    for (const word of await candidates(command, before, current)) {
      const whole = word.startsWith(current) ? word : given + word;
      if (whole.startsWith(current)) command.io.out(whole);
    }
  });
}

/** @param before the complete words */
async function candidates(command: SkoloCommand, before: string[], current: string) {
  const { at, option, position, values } = walk(command.root(), before);
  if (option) return option.argChoices ?? namesFor(subjectOf(option), command, at, values);
  if (current.startsWith('-')) return optionsOf(at).flatMap(({ long }) => long ?? []);
  if (at.commands.length > 0) return subcommands(at).map((each) => each.name());
  const { registeredArguments: all } = at;
  const argument = all[position] ?? variadic(all.at(-1));
  if (argument === undefined) return [];
  return argument.argChoices ?? namesFor(argument.name(), command, at, values);
}

function variadic(argument: Argument | undefined): Argument | undefined {
  return argument?.variadic ? argument : undefined;
}

interface Place {
  at: Command;
  /** The option whose value comes next. */
  option?: Option | undefined;
  /** Number of arguments so far. */
  position: number;
  /** Option values, by attribute. */
  values: ReadonlyMap<string, string>;
}

/** The command that the words lead to. */
function walk(root: Command, words: readonly string[]): Place {
  const values = new Map<string, string>();
  let at = root;
  let option: Option | undefined;
  let position = 0;
  for (const word of words) {
    if (option) {
      values.set(option.attributeName(), word);
      option = undefined;
    } else if (word.startsWith('-')) {
      option = optionsOf(at).find(
        (each) => each.required && [each.long, each.short].includes(word),
      );
    } else {
      const sub: Command | undefined = subcommands(at).find((each) => each.name() === word);
      if (sub) at = sub;
      else position += 1;
    }
  }
  return { at, option, position, values };
}

function optionsOf(command: Command): Option[] {
  const help = command.createHelp();
  const inherited = command.parent ? help.visibleGlobalOptions(command) : [];
  return [...help.visibleOptions(command), ...inherited];
}

function subcommands(command: Command): Command[] {
  return command.createHelp().visibleCommands(command);
}

/** What its value names: a `shelf` for `--shelf`. */
function subjectOf({ long = '' }: Option): string {
  const others = new Map([
    ['--on', 'rack'],
    ['--rack', 'file'],
    // Of a machine, such as `left`.
    ['--device', 'phone'],
  ]);
  return others.get(long) ?? long.slice(2);
}

/** Names for an argument or option with this name: `<equipment>`, `[names...]`, `<rack>`. None for others, such as files. */
async function namesFor(
  argument: string,
  command: SkoloCommand,
  at: Command,
  values: ReadonlyMap<string, string>,
): Promise<string[]> {
  const [kind = ''] =
    /^(equipment|rack|service|name|machine|phone|shelf|kind|model|pool)(?=s?\b)/.exec(argument) ??
    [];
  if (kind === 'rack') return rackNames(command, values);
  if (kind === 'service') return [...(await import('@skolo/rack')).serviceNames];
  if (kind === '') return [];
  const { readRack } = await import('@skolo/rack');
  const rack = await readRack(values.get('rack') ?? command.globals().rack);
  const equipment = [...rack.equipment.values()];
  const machines = [...rack.machines.values()];
  const devices = equipment.map(({ name }) => name);
  const names = machines.map(({ name }) => name);
  const isOfMachines = at.parent?.name() === 'machine';
  switch (kind) {
    case 'equipment':
      return devices;
    case 'machine':
      return names;
    case 'phone':
      return distinct(machines.flatMap((machine) => machine.devices.map(({ name }) => name)));
    case 'shelf':
      return distinct(machines.map(({ shelf }) => shelf));
    case 'pool':
      return distinct(machines.map(({ metadata }) => metadata.attributes.pool));
    case 'kind':
      return distinct(machines.map((machine) => machine.kind));
    case 'model':
      return distinct((isOfMachines ? machines : equipment).map(modelOf));
    default: {
      const phones = machines.flatMap((machine) => machine.devices.map((each) => each.fullName));
      return isOfMachines ? names : [...names, ...phones, ...devices];
    }
  }
}

function modelOf(entry: { kind: string } | { model: string }): string {
  return 'model' in entry ? entry.model : entry.kind;
}

function distinct(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.flatMap((each) => each ?? []))];
}

async function rackNames(
  command: SkoloCommand,
  values: ReadonlyMap<string, string>,
): Promise<string[]> {
  const [{ clustersFile }, { readFleet }] = await Promise.all([
    import('../../reach/racks.ts'),
    import('@skolo/fleet'),
  ]);
  const { racks } = await readFleet(values.get('clusters') ?? (await clustersFile(command)));
  return racks.map(({ name }) => name);
}
