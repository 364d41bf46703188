/** `skolo <noun> <verb>`: all commands. */

import { ownVersion } from '@skolo/common/version';
import { CommanderError, type Option } from 'commander';
import { addGlobalOptions, SkoloCommand } from './command.ts';
import { complain, exitCodes, failureOf } from './errors.ts';
import type { Io } from './io.ts';
import { plain } from './output/text.ts';
import { underNewName } from './renamed.ts';
import { readDefaults } from './workstation/workstation-files.ts';

/** Defines arguments, options and action of a verb. */
type Define = (command: SkoloCommand) => void;

/** In the order of the help. */
const groups = { look: 'Look:', act: 'Act:', 'set up': 'Set up:' };

interface Noun {
  /** By what most of its verbs do. */
  group: keyof typeof groups;
  summary: string;
  example: string;
  /** The noun's action without a verb. */
  own?: () => Promise<Define>;
  /** Loaded if the command line names the verb, or the help of its noun. */
  verbs?: Record<string, () => Promise<Define>>;
  /** Everything after the first argument is for another program, even if it looks like an option. */
  passesOn?: true;
}

/** In the order of the help, within each group. */
const nouns: Record<string, Noun> = {
  rack: {
    group: 'set up',
    summary: 'create rack.yaml, show wiring, generate files',
    example: 'skolo rack show switch-1/14',
    verbs: {
      new: async () => (await import('./commands/rack/new.ts')).define,
      show: async () => (await import('./commands/rack/show.ts')).define,
      edit: async () => (await import('./commands/rack/edit.ts')).define,
      'swarming-config': async () => (await import('./commands/rack/swarming-config.ts')).define,
      render: async () => (await import('./commands/rack/render.ts')).define,
      schema: async () => (await import('./commands/rack/schema.ts')).define,
    },
  },
  inventory: {
    group: 'set up',
    summary: 'list, change, import and export machines',
    example: 'skolo inventory list --kind rpi',
    own: async () => (await import('./commands/inventory/list.ts')).define,
    verbs: {
      list: async () => (await import('./commands/inventory/list.ts')).define,
      add: async () => (await import('./commands/inventory/change.ts')).add,
      remove: async () => (await import('./commands/inventory/change.ts')).remove,
      set: async () => (await import('./commands/inventory/change.ts')).set,
      import: async () => (await import('./commands/inventory/import.ts')).define,
      export: async () => (await import('./commands/inventory/export.ts')).define,
    },
  },
  check: {
    group: 'look',
    summary: 'compare racks, clusters and their settings with reality',
    example: 'skolo check rack racks/*/rack.yaml',
    verbs: {
      rack: async () => (await import('./commands/check/rack.ts')).define,
      equipment: async () => (await import('./commands/check/equipment.ts')).define,
      cabling: async () => (await import('./commands/check/cabling.ts')).cabling,
      outlets: async () => (await import('./commands/check/cabling.ts')).outlets,
      jumphost: async () => (await import('./commands/check/jumphost.ts')).define,
      cluster: async () => (await import('./commands/check/cluster.ts')).define,
      testbed: async () => (await import('./commands/check/testbed.ts')).define,
      secrets: async () => (await import('./commands/check/secrets.ts')).define,
      'pi-images': async () => (await import('./commands/check/pi-images.ts')).define,
    },
  },
  power: {
    group: 'act',
    summary: 'turn machines and phones off and on',
    example: "skolo power cycle skia-rpi2-rack4-shelf1-007 --reason 'offline' --wait",
    verbs: {
      cycle: async () => (await import('./commands/power/cycle.ts')).define,
      status: async () => (await import('./commands/power/status.ts')).define,
      on: async () => (await import('./commands/power/switch.ts')).on,
      off: async () => (await import('./commands/power/switch.ts')).off,
      follow: async () => (await import('./commands/power/follow.ts')).define,
      cancel: async () => (await import('./commands/power/cancel.ts')).define,
      log: async () => (await import('./commands/power/log.ts')).define,
      show: async () => (await import('./commands/power/show.ts')).define,
      hold: async () => (await import('./commands/power/holds.ts')).hold,
      release: async () => (await import('./commands/power/holds.ts')).release,
      holds: async () => (await import('./commands/power/holds.ts')).holds,
      controllers: async () => (await import('./commands/power/controllers.ts')).define,
      forget: async () => (await import('./commands/power/forget.ts')).define,
    },
  },
  machine: {
    group: 'act',
    summary: 'manage machines: condition, history, maintenance, agent',
    example: 'skolo machine list',
    verbs: {
      list: async () => (await import('./commands/machine/list.ts')).define,
      history: async () => (await import('./commands/machine/history.ts')).history,
      downtime: async () => (await import('./commands/machine/history.ts')).downtime,
      note: async () => (await import('./commands/machine/note.ts')).define,
      maintain: async () => (await import('./commands/machine/orders.ts')).maintain,
      quarantine: async () => (await import('./commands/machine/orders.ts')).quarantine,
      busy: async () => (await import('./commands/machine/busy.ts')).define,
      screen: async () => (await import('./commands/machine/screen.ts')).define,
      log: async () => (await import('./commands/machine/log.ts')).define,
      clear: async () => (await import('./commands/machine/actions.ts')).clear,
      repair: async () => (await import('./commands/machine/actions.ts')).repair,
      reboot: async () => (await import('./commands/machine/actions.ts')).reboot,
      replace: async () => (await import('./commands/machine/replace.ts')).define,
      join: async () => (await import('./commands/machine/join.ts')).joinMachines,
      leave: async () => (await import('./commands/machine/join.ts')).leaveMachines,
    },
  },
  backup: {
    group: 'act',
    summary: 'back up, compare and restore configurations',
    example: 'skolo backup status',
    verbs: {
      status: async () => (await import('./commands/backup/status.ts')).define,
      run: async () => (await import('./commands/backup/run.ts')).define,
      list: async () => (await import('./commands/backup/list.ts')).define,
      show: async () => (await import('./commands/backup/show.ts')).define,
      diff: async () => (await import('./commands/backup/diff.ts')).define,
      restore: async () => (await import('./commands/backup/restore.ts')).define,
      runs: async () => (await import('./commands/backup/runs.ts')).define,
      transcript: async () => (await import('./commands/backup/transcript.ts')).define,
      'restore-history': async () => (await import('./commands/backup/restore-history.ts')).define,
      'accept-loss': async () => (await import('./commands/backup/accept-loss.ts')).define,
    },
  },
  alerts: {
    group: 'look',
    summary: 'show alerts and their delivery, watch for silent racks',
    example: 'skolo alerts tail --location rack4',
    verbs: {
      list: async () => (await import('./commands/alerts/list.ts')).define,
      status: async () => (await import('./commands/alerts/status.ts')).define,
      tail: async () => (await import('./commands/alerts/tail.ts')).define,
      watch: async () => (await import('./commands/alerts/watch.ts')).define,
      send: async () => (await import('./commands/alerts/send.ts')).define,
      'dead-letters': async () => (await import('./commands/alerts/dead-letters.ts')).define,
    },
  },
  equipment: {
    group: 'act',
    summary: 'manage SSH host keys of switches, PDUs and the router',
    example: 'skolo equipment keys',
    verbs: {
      keys: async () => (await import('./commands/equipment/host-keys.ts')).keys,
      forget: async () => (await import('./commands/equipment/host-keys.ts')).forget,
    },
  },
  show: {
    group: 'look',
    summary: 'show everything about one machine',
    example: 'skolo show skia-rpi2-rack4-shelf1-007',
    own: async () => (await import('./commands/machine/page.ts')).define,
  },
  status: {
    group: 'look',
    summary: 'show the health of all racks, worst first',
    example: 'skolo status --watch',
    own: async () => (await import('./commands/status/status.ts')).define,
  },
  timeline: {
    group: 'look',
    summary: 'print what happened in a rack, as a handover',
    example: 'skolo timeline rack4 --since 18:00',
    own: async () => (await import('./commands/timeline/timeline.ts')).define,
  },
  audit: {
    group: 'look',
    summary: 'list who changed what, in all services',
    example: 'skolo audit --text skia-rpi2-rack4-shelf1-007',
    own: async () => (await import('./commands/audit/audit.ts')).define,
  },
  racks: {
    group: 'look',
    summary: 'list racks with their versions, and manage the list',
    example: 'skolo racks',
    own: async () => (await import('./commands/racks/list.ts')).define,
    verbs: {
      add: async () => (await import('./commands/racks/change.ts')).add,
      remove: async () => (await import('./commands/racks/change.ts')).remove,
      schema: async () => (await import('./commands/racks/schema.ts')).define,
    },
  },
  console: {
    group: 'look',
    summary: "open a rack's web console",
    example: 'skolo console rack4',
    own: async () => (await import('./commands/workstation/console.ts')).define,
  },
  attach: {
    group: 'act',
    summary: "start a shell or run a command with access to a rack's cluster",
    example: 'skolo attach rack4 -- kubectl get pods -A',
    own: async () => (await import('./commands/workstation/attach.ts')).define,
  },
  kubectl: {
    group: 'act',
    summary: "run kubectl on a rack's cluster",
    example: 'skolo kubectl rack4 get pods -A --watch',
    own: async () => (await import('./commands/workstation/kubectl.ts')).define,
    passesOn: true,
  },
  forward: {
    group: 'act',
    summary: 'open a local URL for a service in a rack',
    example: 'skolo forward rack4 prometheus',
    own: async () => (await import('./commands/workstation/forward.ts')).define,
  },
  logs: {
    group: 'look',
    summary: 'print logs from a service, a machine or the jumphost',
    example: 'skolo logs rack4 power-cycle-daemon -f',
    own: async () => (await import('./commands/workstation/logs.ts')).define,
  },
  shell: {
    group: 'act',
    summary: 'start a shell on a machine, through the jumphost',
    example: 'skolo shell skia-rpi2-rack4-shelf1-007',
    own: async () => (await import('./commands/workstation/shell.ts')).define,
  },
  run: {
    group: 'act',
    summary: 'run a command on many machines, through the jumphost',
    example: "skolo run 'skia-rpi2-rack4-shelf1-[001-040]' -- uptime",
    own: async () => (await import('./commands/workstation/run.ts')).define,
  },
  service: {
    group: 'set up',
    summary: 'run services on this computer without Kubernetes',
    example: 'skolo service enable router-backup --rack /etc/skolo/rack.yaml',
    verbs: {
      enable: async () => (await import('./commands/service/enable.ts')).define,
      disable: async () => (await import('./commands/service/disable.ts')).define,
      list: async () => (await import('./commands/service/list.ts')).define,
    },
  },
  jumphost: {
    group: 'set up',
    summary: 'set up, upgrade and replace jumphosts',
    example: 'skolo jumphost prepare rack4 --check',
    verbs: {
      prepare: async () => (await import('./commands/jumphost/prepare.ts')).define,
      image: async () => (await import('./commands/jumphost/image.ts')).define,
      stick: async () => (await import('./commands/jumphost/stick.ts')).define,
      upgrade: async () => (await import('./commands/jumphost/upgrade.ts')).define,
      cycle: async () => (await import('./commands/jumphost/cycle.ts')).define,
      reboot: async () => (await import('./commands/jumphost/reboot.ts')).define,
      rollback: async () => (await import('./commands/jumphost/rollback.ts')).define,
      replace: async () => (await import('./commands/jumphost/replace.ts')).define,
    },
  },
  pi: {
    group: 'set up',
    summary: 'set up Raspberry Pis, from SD cards to clusters',
    example: "skolo pi image 'rpi-[001-010]' --base raspios.img --out cards",
    verbs: {
      image: async () => (await import('./commands/pi/image.ts')).define,
      images: async () => (await import('./commands/pi/images.ts')).define,
      burn: async () => (await import('./commands/pi/burn.ts')).define,
      setup: async () => (await import('./commands/pi/setup.ts')).define,
      kubernetes: async () => (await import('./commands/pi/kubernetes/index.ts')).define,
      testbed: async () => (await import('./commands/pi/testbed/index.ts')).define,
      waiting: async () => (await import('./commands/pi/waiting.ts')).define,
      adopt: async () => (await import('./commands/pi/adopt.ts')).define,
      revoke: async () => (await import('./commands/pi/revoke.ts')).define,
    },
  },
  images: {
    group: 'set up',
    summary: 'pin container images in manifests',
    example: 'skolo images pin kube/base kube/components',
    verbs: {
      pin: async () => (await import('./commands/images/pin.ts')).define,
    },
  },
  push: {
    group: 'act',
    summary: 'deploy versions and configuration to racks',
    example: "skolo push metadata-server --racks rack4 --reason 'fixes the leak'",
    own: async () => (await import('./commands/push/push.ts')).define,
    verbs: {
      diff: async () => (await import('./commands/push/diff.ts')).define,
      rack: async () => (await import('./commands/push/rack.ts')).define,
      resume: async () => (await import('./commands/push/resume.ts')).define,
      rollback: async () => (await import('./commands/push/rollback.ts')).define,
      status: async () => (await import('./commands/push/status.ts')).define,
      log: async () => (await import('./commands/push/log.ts')).define,
    },
  },
  secrets: {
    group: 'set up',
    summary: "store, generate and apply a rack's secrets",
    example: 'skolo secrets status rack4',
    verbs: {
      status: async () => (await import('./commands/secrets/status.ts')).define,
      set: async () => (await import('./commands/secrets/set.ts')).set,
      generate: async () => (await import('./commands/secrets/set.ts')).generate,
      edit: async () => (await import('./commands/secrets/set.ts')).edit,
      diff: async () => (await import('./commands/secrets/apply.ts')).diff,
      apply: async () => (await import('./commands/secrets/apply.ts')).apply,
    },
  },
  login: {
    group: 'set up',
    summary: "save your token for a rack's services",
    example: 'skolo login rack4 --on rack4',
    own: async () => (await import('./commands/workstation/login.ts')).define,
  },
  token: {
    group: 'set up',
    summary: 'manage tokens for people and programs',
    example: 'skolo token list',
    verbs: {
      new: async () => (await import('./commands/token/tokens.ts')).create,
      list: async () => (await import('./commands/token/tokens.ts')).list,
      revoke: async () => (await import('./commands/token/tokens.ts')).revoke,
    },
  },
  metadata: {
    group: 'look',
    summary: "show the metadata server's clients and tokens",
    example: 'skolo metadata clients',
    verbs: {
      clients: async () => (await import('./commands/metadata/clients.ts')).define,
      identities: async () => (await import('./commands/metadata/identities.ts')).define,
    },
  },
  emulate: {
    group: 'set up',
    summary: 'run one service locally, without rack.yaml',
    example: 'skolo emulate metadata --key key.json -- npm test',
    verbs: {
      metadata: async () => (await import('./commands/emulate/metadata.ts')).define,
    },
  },
  completion: {
    group: 'set up',
    summary: 'print shell completion scripts',
    example: 'source <(skolo completion bash)',
    verbs: {
      bash: async () => (await import('./commands/completion/scripts.ts')).bash,
      zsh: async () => (await import('./commands/completion/scripts.ts')).zsh,
      words: async () => (await import('./commands/completion/words.ts')).define,
    },
  },
};

/**
 * Runs one command line and prints its error.
 *
 * @param args without node and the script
 * @param debug gets the error of a failed command
 */
export async function complete(
  args: readonly string[],
  io: Io,
  debug?: (error: unknown) => void,
): Promise<number> {
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

/** Runs one command line. Sets `io.exitCode`; throws if the command failed. */
async function run(given: readonly string[], io: Io): Promise<void> {
  const program = new SkoloCommand('skolo', io);
  addGlobalOptions(program, await readDefaults(io.env));
  const renamed = underNewName(given, wordsAt(given, program.options));
  const args = renamed?.args ?? given;
  if (renamed) {
    const { old, now } = renamed;
    complain(io, `skolo ${old} is now skolo ${now}; the old name works until the next version`);
  }
  await defineAll(program, args);
  try {
    const line = unknownAskedFor(args, program) ?? separated(args, program);
    await program.parseAsync(line, { from: 'user' });
  } catch (error) {
    // Help and version also end in this way. Errors are CliErrors.
    if (!(error instanceof CommanderError)) throw error;
    io.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.wrongCommandLine;
  } finally {
    await program.end();
  }
}

/** Defines all nouns, but only the verbs that the command line needs. */
async function defineAll(program: SkoloCommand, args: readonly string[]): Promise<void> {
  const { io } = program;
  program
    .description('Manages racks of test machines.')
    .helpOption('-h, --help', 'show help')
    .commandsGroup(groups.look)
    .helpCommand('help [command]', 'show help for a command')
    .example('skolo --rack racks/rack4/rack.yaml check rack')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    });
  const [first, second, third, fourth] = wordsOf(args, program.options);
  // Verbs can have their own `--version`.
  const isOwn = nouns[first ?? '']?.own !== undefined;
  if (first === 'help' || (second === undefined && !isOwn)) {
    program.version(ownVersion, '-V, --version', 'print the version');
  }
  const wanted = [
    first === 'help' ? { noun: second, verb: undefined } : { noun: first, verb: second },
    // Completion needs the arguments and options of what is being typed.
    ...(first === 'completion' && second === 'words' ? [{ noun: third, verb: fourth }] : []),
  ];
  const order = Object.keys(groups);
  const sorted = Object.entries(nouns).sort(
    ([, one], [, other]) => order.indexOf(one.group) - order.indexOf(other.group),
  );
  for (const [name, { group, summary, example, verbs = {}, own }] of sorted) {
    const noun = program.command(name).helpGroup(groups[group]);
    noun.summary(summary).helpCommand(false);
    noun.description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
    const wantedOfNoun = wanted.find((each) => each.noun === name);
    const isVerb = wantedOfNoun?.verb !== undefined && Object.hasOwn(verbs, wantedOfNoun.verb);
    if (own && wantedOfNoun && !isVerb) {
      (await own())(noun);
      noun.checkUses();
    } else {
      noun.example(example);
    }
    for (const [verb, load] of Object.entries(verbs)) {
      const command = noun.command(verb);
      const isWanted = wantedOfNoun && (wantedOfNoun.verb ?? verb) === verb;
      if (!isWanted) continue;
      (await load())(command);
      command.checkUses();
    }
  }
}

/**
 * The words of a command line that asks for help, up to the first unknown command. Commander would print the parent command's help, as if
 * there were no error.
 */
function unknownAskedFor(args: readonly string[], program: SkoloCommand): string[] | undefined {
  const all = wordsOf(args, program.options);
  if (all[0] !== 'help' && !args.includes('--help') && !args.includes('-h')) return undefined;
  const words = all[0] === 'help' ? all.slice(1) : all;
  let commands = program.commands;
  for (const [at, word] of words.entries()) {
    const command = commands.find((each) => each.name() === word);
    if (command === undefined) return words.slice(0, at + 1);
    // The next word is an argument.
    if (nouns[word]?.own && at === 0) return undefined;
    commands = command.commands;
    if (commands.length === 0) return undefined;
  }
  return undefined;
}

/** Inserts `--` before another program's arguments. */
function separated(args: readonly string[], program: SkoloCommand): readonly string[] {
  const [name = ''] = wordsOf(args, program.options);
  const command = program.commands.find((each) => each.name() === name);
  if (nouns[name]?.passesOn === undefined || command === undefined) return args;
  const [, first] = wordsOf(args, [...program.options, ...command.options]);
  if (first === undefined) return args;
  const at = args.indexOf(first, args.indexOf(name) + 1) + 1;
  return args[at] === '--' ? args : [...args.slice(0, at), '--', ...args.slice(at)];
}

/** The command line without options: noun, verb, arguments. */
function wordsOf(args: readonly string[], options: readonly Option[]): string[] {
  return wordsAt(args, options).flatMap((at) => args[at] ?? []);
}

/** Their positions. */
function wordsAt(args: readonly string[], options: readonly Option[]): number[] {
  const withValue = options.filter(({ required }) => required).map(({ long }) => long);
  return args.flatMap((arg, at) =>
    arg.startsWith('-') || withValue.includes(args[at - 1]) ? [] : [at],
  );
}
