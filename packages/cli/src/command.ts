/** The base of all commands: global options such as `--rack` and `--on`, Ctrl-C, and what is closed at the end. */
import { join } from 'node:path';
import { shellWord } from '@skolo/base';
import { didYouMean } from '@skolo/rack/light';
import { Command, Option } from 'commander';
import { complain, usageError } from './errors.ts';
import type { Io } from './io.ts';
import type { Defaults } from './workstation/workstation-files.ts';

/** Options of every command. */
export interface Globals {
  /** rack.yaml, as given. */
  rack: string;
  /** If neither the flag nor the variable is set. */
  rackIsDefault: boolean;
  url: string | undefined;
  tokenFile: string | undefined;
  /** Name of the rack to tunnel to. */
  on: string | undefined;
  /** The racks file, as given. */
  clusters: string | undefined;
}

const globalNames = ['rack', 'url', 'tokenFile', 'on', 'clusters'] as const;
type GlobalName = (typeof globalNames)[number];

const defaultRack = '/etc/skolo/rack.yaml';

/** A noun or a verb of `skolo`. */
export class SkoloCommand extends Command {
  readonly io: Io;
  private used: readonly GlobalName[] = globalNames;
  private shown: readonly GlobalName[] = ['rack', 'url', 'tokenFile', 'on'];
  /** Context of the whole program. */
  private readonly endings: (() => Promise<void>)[];

  constructor(name: string | undefined, io: Io, endings: (() => Promise<void>)[] = []) {
    super(name);
    this.io = io;
    this.endings = endings;
  }

  override createCommand(name?: string): SkoloCommand {
    return new SkoloCommand(name, this.io, this.endings);
  }

  /** Like `action`, for work that Ctrl-C, SIGTERM and SIGHUP abort. */
  interruptible<Args extends unknown[]>(
    work: (signal: AbortSignal, ...args: Args) => Promise<void>,
  ): this {
    return this.action(async (...args: Args) => {
      const { interruptible } = await import('./reach/racks.ts');
      await interruptible(this, (signal) => work(signal, ...args));
    });
  }

  /** Calls this when the command has ended or failed. */
  atEnd(close: () => Promise<void>): void {
    this.endings.push(close);
  }

  /** Calls the functions that were passed to `atEnd`. */
  async end(): Promise<void> {
    for (const close of this.endings.splice(0)) await close();
  }

  /** One line with a pointer to the help; Commander would print two without one. */
  override error(message: string): never {
    const what = message
      .replace(/^error: /, '')
      .replace(/\.$/, '')
      .replace(/(?<='(\S+)')\s\(Did you mean (\S+)\?\)$/, (all, typed, guess) =>
        // Commander also guesses words that share a few letters.
        didYouMean(typed, [guess]) === '' ? '' : all,
      );
    throw usageError(`${what}; see ${this.fullName()} --help`);
  }

  /** The last line of the help. */
  example(line: string): this {
    return this.addHelpText('after', `\nExample:\n  ${line}`);
  }

  /** Names the global options that have an effect here; without a call, all of them. */
  uses(...names: GlobalName[]): this {
    // A rack given by name has a rack.yaml.
    this.shown = names.includes('rack') ? [...names, 'on'] : names;
    this.used = [...this.shown, 'clusters'];
    return this;
  }

  /** Nested verbs: `skolo pi kubernetes setup`. Each has its own options. */
  group(verbs: Record<string, (command: SkoloCommand) => void>): void {
    this.helpCommand(false);
    this.shown = [];
    for (const [name, define] of Object.entries(verbs)) {
      const verb = this.command(name);
      define(verb);
      verb.checkUses();
    }
  }

  /** Lists the global options with an effect in the help. Others are accepted with a note. */
  checkUses(): void {
    this.configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: () =>
        this.root().options.filter((option) =>
          this.shown.some((name) => name === option.attributeName()),
        ),
    });
    this.hook('preAction', async () => {
      this.noteUnused();
      if (this.used.includes('on')) await this.useRackByName();
    });
  }

  globals(): Globals {
    const root = this.root();
    const { rack, url, tokenFile, on, clusters } = root.opts<Partial<Record<GlobalName, string>>>();
    return {
      // Like the services, treats an empty variable as not set.
      rack: rack || defaultRack,
      rackIsDefault: !rack || root.getOptionValueSource('rack') === 'default',
      url: url || undefined,
      tokenFile: tokenFile || undefined,
      on: on || undefined,
      clusters: clusters || undefined,
    };
  }

  /** The first argument, treated like `--on`. */
  rackArgument(name: string, description?: string): this {
    return this.argument(name, description).hook('preAction', (_, { args: [rack] }) => {
      if (rack !== undefined) this.root().setOptionValueWithSource('on', rack, 'cli');
    });
  }

  /** Whether `--rack` is on the command line, not only in the environment. */
  gives(name: GlobalName): boolean {
    return this.root().getOptionValueSource(name) === 'cli';
  }

  private noteUnused() {
    // Without the option that counts, the command would affect more racks than intended.
    const chooses = this.options.find(({ long }) => long === '--racks');
    for (const option of this.root().options) {
      const name = globalNames.find((each) => each === option.attributeName());
      if (name === undefined || this.used.includes(name) || !this.gives(name)) continue;
      if (chooses && (name === 'on' || name === 'rack')) {
        this.error(
          `option '${option.long}' cannot be used with this command; use '--racks' to select racks`,
        );
      }
      complain(this.io, `${option.long} has no effect on ${this.fullName()}`);
    }
  }

  /** `--on` also names a rack.yaml. `--rack` overrides it on the command line, but not in the environment. */
  private async useRackByName(): Promise<void> {
    if (this.globals().on === undefined || this.gives('rack')) return;
    const { rackOn } = await import('./reach/racks.ts');
    const { overlay } = await rackOn(this);
    this.root().setOptionValueWithSource('rack', join(overlay, 'rack.yaml'), 'on');
  }

  /** `skolo` itself. */
  root(): Command {
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

export function addGlobalOptions(program: SkoloCommand, { rack = defaultRack }: Defaults): void {
  program
    .addOption(new Option('--rack <file>', "the rack's inventory").env('SKOLO_RACK').default(rack))
    .addOption(new Option('--url <url>', 'URL of the service, instead of the one in rack.yaml'))
    .addOption(
      new Option('--token-file <file>', 'file that contains your token').env('SKOLO_TOKEN_FILE'),
    )
    .addOption(
      new Option('--on <rack>', 'rack to reach through its jumphost, using its rack.yaml').env(
        'SKOLO_ON',
      ),
    )
    .addOption(
      new Option(
        '--clusters <file>',
        'file that lists all racks (default: kube/clusters/config.json)',
      ).env('SKOLO_CLUSTERS'),
    );
}

/** `skolo power follow --rack rack4.yaml 'rpi-[001-040]'`: a command line for the same rack. */
export function commandLine(command: SkoloCommand, verb: string, ...names: string[]): string {
  return ['skolo', verb, ...[...givenOptions(command), ...names].map(shellWord)].join(' ');
}

/** Global options on this command line. */
export function givenOptions(command: SkoloCommand): string[] {
  const globals = command.globals();
  return command.root().options.flatMap((option) => {
    const name = globalNames.find((each) => each === option.attributeName());
    const value = name && command.gives(name) && globals[name];
    return value && option.long ? [option.long, value] : [];
  });
}
