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
    for (const word of await candidates(command, before, current)) {
      if (word.startsWith(current)) command.io.out(word);
    }
  });
}

/** @param before the complete words */
async function candidates(command: SkoloCommand, before: string[], current: string) {
  const { at, option, position, values } = walk(command.root(), before);
  if (option) return option.argChoices ?? (isOfRacks(option) ? rackNames(command, values) : []);
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

function isOfRacks({ long }: Option): boolean {
  return long === '--on' || long === '--racks';
}

/** Names for an argument with this name: `<device>`, `[names...]`, `<rack>`. None for other arguments, such as files. */
async function namesFor(
  argument: string,
  command: SkoloCommand,
  at: Command,
  values: ReadonlyMap<string, string>,
): Promise<string[]> {
  const [kind = ''] = /^(device|rack|service|name)(?=s?\b)/.exec(argument) ?? [];
  if (kind === 'rack') return rackNames(command, values);
  if (kind === 'service') return [...(await import('@skolo/rack')).serviceNames];
  if (kind === '') return [];
  const { readRack } = await import('@skolo/rack');
  const rack = await readRack(values.get('rack') ?? command.globals().rack);
  const devices = [...rack.infrastructure.keys()];
  if (kind === 'device') return devices;
  const machines = [...rack.machines.keys()];
  if (at.parent?.name() === 'machine') return machines;
  const phones = [...rack.machines.values()].flatMap((machine) =>
    machine.devices.map(({ fullName }) => fullName),
  );
  return [...machines, ...phones, ...devices];
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
