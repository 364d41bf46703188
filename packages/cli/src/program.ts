/** `skolo <noun> <verb>`: all commands. */

import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { addGlobalOptions, SkoloCommand } from './command.ts';
import { type ExitCode, exitCodes, failureOf } from './errors.ts';
import type { Io } from './io.ts';
import { plain } from './output/text.ts';

/** Defines arguments, options and action of a verb. */
type Define = (command: SkoloCommand) => void;

interface Noun {
  summary: string;
  example: string;
  /** Loaded if the command line names the verb, or the help of its noun. */
  verbs: Record<string, () => Promise<{ define: Define }>>;
}

/** In the order of the help. A command is in commands/<noun>/<verb>.ts. */
const nouns: Record<string, Noun> = {
  rack: {
    summary: 'the inventory: check it, print it, derive files from it',
    example: 'skolo rack show switch-1/14',
    verbs: {
      check: () => import('./commands/rack/check.ts'),
      show: () => import('./commands/rack/show.ts'),
      hosts: () => import('./commands/rack/hosts.ts'),
      'swarming-config': () => import('./commands/rack/swarming-config.ts'),
      render: () => import('./commands/rack/render.ts'),
      schema: () => import('./commands/rack/schema.ts'),
    },
  },
  power: {
    summary: 'turn machines and phones off and on',
    example: "skolo power cycle skia-rpi2-rack4-shelf1-007 --reason 'offline' --wait",
    verbs: {
      cycle: () => import('./commands/power/cycle.ts'),
      status: () => import('./commands/power/status.ts'),
      on: () => import('./commands/power/on.ts'),
      off: () => import('./commands/power/off.ts'),
      follow: () => import('./commands/power/follow.ts'),
      cancel: () => import('./commands/power/cancel.ts'),
      log: () => import('./commands/power/log.ts'),
      show: () => import('./commands/power/show.ts'),
      hold: () => import('./commands/power/hold.ts'),
      release: () => import('./commands/power/release.ts'),
      holds: () => import('./commands/power/holds.ts'),
      controllers: () => import('./commands/power/controllers.ts'),
      forget: () => import('./commands/power/forget.ts'),
    },
  },
  machine: {
    summary: 'the agents on machines: health, bot, task, phones, log',
    example: 'skolo machine status',
    verbs: {
      status: () => import('./commands/machine/status.ts'),
      log: () => import('./commands/machine/log.ts'),
      clear: () => import('./commands/machine/clear.ts'),
      reboot: () => import('./commands/machine/reboot.ts'),
    },
  },
  backup: {
    summary: 'configurations of devices: versions, changes, restore',
    example: 'skolo backup status',
    verbs: {
      status: () => import('./commands/backup/status.ts'),
      run: () => import('./commands/backup/run.ts'),
      list: () => import('./commands/backup/list.ts'),
      show: () => import('./commands/backup/show.ts'),
      diff: () => import('./commands/backup/diff.ts'),
      restore: () => import('./commands/backup/restore.ts'),
      runs: () => import('./commands/backup/runs.ts'),
      transcript: () => import('./commands/backup/transcript.ts'),
      'restore-history': () => import('./commands/backup/restore-history.ts'),
      'accept-loss': () => import('./commands/backup/accept-loss.ts'),
    },
  },
  alerts: {
    summary: 'firing alerts, their delivery, silent racks',
    example: 'skolo alerts tail --location rack4',
    verbs: {
      list: () => import('./commands/alerts/list.ts'),
      status: () => import('./commands/alerts/status.ts'),
      tail: () => import('./commands/alerts/tail.ts'),
      watch: () => import('./commands/alerts/watch.ts'),
      send: () => import('./commands/alerts/send.ts'),
      'dead-letters': () => import('./commands/alerts/dead-letters.ts'),
    },
  },
  equipment: {
    summary: 'ssh host keys of switches, PDUs and the router',
    example: 'skolo equipment keys',
    verbs: {
      keys: () => import('./commands/equipment/keys.ts'),
      forget: () => import('./commands/equipment/forget.ts'),
    },
  },
  images: {
    summary: 'container images in manifests',
    example: 'skolo images pin kube/base kube/components',
    verbs: {
      pin: () => import('./commands/images/pin.ts'),
    },
  },
  token: {
    summary: 'tokens of people and programs for the services',
    example: 'skolo token list',
    verbs: {
      new: () => import('./commands/token/new.ts'),
      list: () => import('./commands/token/list.ts'),
      revoke: () => import('./commands/token/revoke.ts'),
    },
  },
  metadata: {
    summary: 'clients, identities and tokens of the metadata server',
    example: 'skolo metadata clients',
    verbs: {
      clients: () => import('./commands/metadata/clients.ts'),
      identities: () => import('./commands/metadata/identities.ts'),
    },
  },
};

/**
 * Runs one command line and prints its error.
 *
 * @param args without node and the script
 * @param debug gets the error of a command that failed
 */
export async function complete(
  args: readonly string[],
  io: Io,
  debug?: (error: unknown) => void,
): Promise<ExitCode> {
  try {
    await run(args, io);
    return io.exitCode;
  } catch (error) {
    debug?.(error);
    const { lines, exitCode } = failureOf(error);
    for (const line of lines) io.err(plain(line));
    return exitCode;
  }
}

/**
 * Runs one command line. Sets `io.exitCode`; throws when the command failed.
 */
async function run(args: readonly string[], io: Io): Promise<void> {
  try {
    await (await createProgram(args, io)).parseAsync(args, { from: 'user' });
  } catch (error) {
    // Help and version also end this way. Errors are CliErrors.
    if (!(error instanceof CommanderError)) throw error;
    io.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.wrongCommandLine;
  }
}

/** Defines all nouns, but only verbs that the command line needs. */
async function createProgram(args: readonly string[], io: Io): Promise<SkoloCommand> {
  const program = new SkoloCommand('skolo', io)
    .description('Manages racks of test machines.')
    .version(ownVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .example('skolo --rack racks/rack4/rack.yaml rack check')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    });
  addGlobalOptions(program);
  const [first, second] = wordsOf(args, program);
  const wanted =
    first === 'help' ? { noun: second, verb: undefined } : { noun: first, verb: second };
  for (const [name, { summary, example, verbs }] of Object.entries(nouns)) {
    const noun = program.command(name).summary(summary).helpCommand(false).example(example);
    noun.description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
    for (const [verb, load] of Object.entries(verbs)) {
      const command = noun.command(verb);
      const isWanted = name === wanted.noun && (wanted.verb ?? verb) === verb;
      if (!isWanted) continue;
      (await load()).define(command);
      command.checkUses();
    }
  }
  return program;
}

/** The command line without options: noun, verb, arguments. */
function wordsOf(args: readonly string[], program: SkoloCommand): string[] {
  const withValue = program.options.filter(({ required }) => required).map(({ long }) => long);
  return args.filter((arg, at) => !arg.startsWith('-') && !withValue.includes(args[at - 1]));
}

/** From package.json; `unknown` in a bundle without it. */
function ownVersion(): string {
  try {
    const { version }: { version?: unknown } = JSON.parse(
      readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
    );
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
