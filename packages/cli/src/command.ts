import { Command, Option, type ParseOptionsResult } from 'commander';
import { usageError } from './errors.ts';

/** Options that stand anywhere on the command line. */
export interface Globals {
  /** rack.yaml, as given. */
  rack: string;
  /** Whether anybody said so. */
  rackIsDefault: boolean;
  url: string | undefined;
  tokenFile: string | undefined;
}

type GlobalName = 'rack' | 'url' | 'tokenFile';

const defaultRack = '/etc/skolo/rack.yaml';

/** A noun or a verb of `skolo`. */
export class SkoloCommand extends Command {
  private used: readonly GlobalName[] = [];

  override createCommand(name?: string): SkoloCommand {
    return new SkoloCommand(name);
  }

  /** An error is one line that says where to read on; Commander's own is two, and says it nowhere. */
  override error(message: string): never {
    const what = message.replace(/^error: /, '').replace(/\.$/, '');
    throw usageError(`${what}; see ${this.fullName()} --help`);
  }

  /** Help ends with it. A line that can be pasted. */
  example(line: string): this {
    return this.addHelpText('after', `\nExample:\n  ${line}`);
  }

  /** Says which of the global options have an effect here. Others are refused: an option without effect misleads. */
  uses(...names: GlobalName[]): this {
    this.used = names;
    this.configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: () =>
        this.globalOptions().filter((option) => names.some(named(option))),
    });
    return this.hook('preAction', () => this.refuseUnused());
  }

  /** Commander would take `skolo backup show router --version latest~1` for the `--version` of skolo itself. */
  override parseOptions(args: string[]): ParseOptionsResult {
    const verbAt = this.parent === null ? this.ownVersionAt(args) : undefined;
    if (verbAt === undefined) return super.parseOptions(args);
    const hidden = args.map((arg, at) =>
      at > verbAt ? arg.replace(/^--version(?=$|=)/, verbsVersion) : arg,
    );
    const { operands, unknown } = super.parseOptions(hidden);
    const shown = (arg: string) => arg.replace(verbsVersion, '--version');
    return { operands: operands.map(shown), unknown: unknown.map(shown) };
  }

  /** Where on the line the verb is, if it has a `--version` of its own. */
  private ownVersionAt(args: readonly string[]): number | undefined {
    let within: Command = this;
    for (const [at, arg] of args.entries()) {
      within = within.commands.find((command) => command.name() === arg) ?? within;
      if (within.options.some(isVersion) && within !== this) return at;
    }
    return undefined;
  }

  globals(): Globals {
    const root = this.root();
    const { rack, url, tokenFile } = root.opts<Partial<Record<GlobalName, string>>>();
    return {
      // An empty variable counts as not set, as for the services.
      rack: rack || defaultRack,
      rackIsDefault: !rack || root.getOptionValueSource('rack') === 'default',
      url: url || undefined,
      tokenFile: tokenFile || undefined,
    };
  }

  /** Whether `--rack` is on the command line, and not only in the environment. */
  gives(name: GlobalName): boolean {
    return this.root().getOptionValueSource(name) === 'cli';
  }

  private refuseUnused() {
    for (const option of this.globalOptions()) {
      const name = globalNames.find((each) => named(option)(each));
      if (name === undefined || this.used.includes(name) || !this.gives(name)) continue;
      this.error(`option '${option.long}' has no effect here`);
    }
  }

  private globalOptions(): readonly Option[] {
    return this.root().options;
  }

  private root(): Command {
    let root: Command = this;
    while (root.parent) root = root.parent;
    return root;
  }

  private fullName(): string {
    const names = [];
    for (let at: Command | null = this; at; at = at.parent) names.unshift(at.name());
    return names.join(' ');
  }
}

/** What no person types. */
const verbsVersion = '--\u0000version';

function isVersion({ long }: Option): boolean {
  return long === '--version';
}

const globalNames = ['rack', 'url', 'tokenFile'] as const satisfies readonly GlobalName[];

function named(option: Option): (name: GlobalName) => boolean {
  return (name) => option.attributeName() === name;
}

/** Makes `--rack`, `--url` and `--token-file` known. */
export function addGlobalOptions(program: SkoloCommand): SkoloCommand {
  return program
    .addOption(
      new Option('--rack <file>', 'the inventory of the rack')
        .env('SKOLO_RACK')
        .default(defaultRack),
    )
    .addOption(new Option('--url <url>', 'where the service is, instead of what rack.yaml says'))
    .addOption(
      new Option('--token-file <file>', 'file with your token for the services').env(
        'SKOLO_TOKEN_FILE',
      ),
    );
}

const flags: Record<GlobalName, string> = {
  rack: '--rack',
  url: '--url',
  tokenFile: '--token-file',
};

/** `skolo power follow --rack rack4.yaml 'rpi-[001-040]'`: about the same rack as the present one. */
export function commandLine(command: SkoloCommand, verb: string, ...names: string[]): string {
  return ['skolo', verb, ...[...givenOptions(command), ...names].map(quoted)].join(' ');
}

/** What the present line says of the rack. */
export function givenOptions(command: SkoloCommand): string[] {
  const globals = command.globals();
  return (['rack', 'url', 'tokenFile'] as const).flatMap((name) => {
    const value = globals[name];
    return command.gives(name) && value !== undefined ? [flags[name], value] : [];
  });
}

/** As a shell takes it for one word. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
