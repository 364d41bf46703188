/** `skolo <noun> <verb>`: all commands, and what they have in common. */
import { CommanderError } from 'commander';
import { addGlobalOptions, SkoloCommand } from './command.ts';
import { addAlertsDeadLetters } from './commands/alerts/dead-letters.ts';
import { addAlertsList } from './commands/alerts/list.ts';
import { addAlertsSend } from './commands/alerts/send.ts';
import { addAlertsStatus } from './commands/alerts/status.ts';
import { addAlertsTail } from './commands/alerts/tail.ts';
import { addAlertsWatch } from './commands/alerts/watch.ts';
import { addBackupAcceptLoss } from './commands/backup/accept-loss.ts';
import { addBackupDiff } from './commands/backup/diff.ts';
import { addBackupList } from './commands/backup/list.ts';
import { addBackupRestore } from './commands/backup/restore.ts';
import { addBackupRestoreHistory } from './commands/backup/restore-history.ts';
import { addBackupRun } from './commands/backup/run.ts';
import { addBackupRuns } from './commands/backup/runs.ts';
import { addBackupShow } from './commands/backup/show.ts';
import { addBackupStatus } from './commands/backup/status.ts';
import { addBackupTranscript } from './commands/backup/transcript.ts';
import { addEquipmentForget } from './commands/equipment/forget.ts';
import { addEquipmentKeys } from './commands/equipment/keys.ts';
import { addImagesPin } from './commands/images/pin.ts';
import { addMachineClear } from './commands/machine/clear.ts';
import { addMachineLog } from './commands/machine/log.ts';
import { addMachineReboot } from './commands/machine/reboot.ts';
import { addMachineStatus } from './commands/machine/status.ts';
import { addMetadataClients } from './commands/metadata/clients.ts';
import { addMetadataIdentities } from './commands/metadata/identities.ts';
import { addPowerCancel } from './commands/power/cancel.ts';
import { addPowerControllers } from './commands/power/controllers.ts';
import { addPowerCycle } from './commands/power/cycle.ts';
import { addPowerFollow } from './commands/power/follow.ts';
import { addPowerForget } from './commands/power/forget.ts';
import { addPowerHold } from './commands/power/hold.ts';
import { addPowerHolds } from './commands/power/holds.ts';
import { addPowerLog } from './commands/power/log.ts';
import { addPowerOff } from './commands/power/off.ts';
import { addPowerOn } from './commands/power/on.ts';
import { addPowerRelease } from './commands/power/release.ts';
import { addPowerShow } from './commands/power/show.ts';
import { addPowerStatus } from './commands/power/status.ts';
import { addRackCheck } from './commands/rack/check.ts';
import { addRackHosts } from './commands/rack/hosts.ts';
import { addRackRender } from './commands/rack/render.ts';
import { addRackSchema } from './commands/rack/schema.ts';
import { addRackShow } from './commands/rack/show.ts';
import { addRackSwarmingConfig } from './commands/rack/swarming-config.ts';
import { addTokenList } from './commands/token/list.ts';
import { addTokenNew } from './commands/token/new.ts';
import { addTokenRevoke } from './commands/token/revoke.ts';
import { failureOf } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { plain } from './output/text.ts';
import { ownVersion } from './version.ts';

interface Noun {
  name: string;
  summary: string;
  example: string;
  verbs: ((noun: SkoloCommand, io: Io) => void)[];
}

/** A new command is added here, in the order in which help shows it, and lives in commands/<noun>/<verb>.ts. */
const nouns: Noun[] = [
  {
    name: 'rack',
    summary: 'the inventory: check it, ask it, make other files of it',
    example: 'skolo rack show switch-1/14',
    verbs: [
      addRackCheck,
      addRackShow,
      addRackHosts,
      addRackSwarmingConfig,
      addRackRender,
      addRackSchema,
    ],
  },
  {
    name: 'power',
    summary: 'turn machines and phones off and on, and see them back',
    example: "skolo power cycle skia-rpi2-rack4-shelf1-007 --reason 'offline' --wait",
    verbs: [
      addPowerCycle,
      addPowerStatus,
      addPowerOn,
      addPowerOff,
      addPowerFollow,
      addPowerCancel,
      addPowerLog,
      addPowerShow,
      addPowerHold,
      addPowerRelease,
      addPowerHolds,
      addPowerControllers,
      addPowerForget,
    ],
  },
  {
    name: 'machine',
    summary: 'the agents on machines: health, bot, task, phones, log',
    example: 'skolo machine status',
    verbs: [addMachineStatus, addMachineLog, addMachineClear, addMachineReboot],
  },
  {
    name: 'backup',
    summary: 'configurations of devices: what changed, the way back',
    example: 'skolo backup status',
    verbs: [
      addBackupStatus,
      addBackupRun,
      addBackupList,
      addBackupShow,
      addBackupDiff,
      addBackupRestore,
      addBackupRuns,
      addBackupTranscript,
      addBackupRestoreHistory,
      addBackupAcceptLoss,
    ],
  },
  {
    name: 'alerts',
    summary: 'what fires, whether it gets through, which rack is silent',
    example: 'skolo alerts tail --location rack4',
    verbs: [
      addAlertsList,
      addAlertsStatus,
      addAlertsTail,
      addAlertsWatch,
      addAlertsSend,
      addAlertsDeadLetters,
    ],
  },
  {
    name: 'equipment',
    summary: 'switches, PDUs and the router, and how services know them again',
    example: 'skolo equipment keys',
    verbs: [addEquipmentKeys, addEquipmentForget],
  },
  {
    name: 'images',
    summary: 'container images that manifests name',
    example: 'skolo images pin kube/base kube/components',
    verbs: [addImagesPin],
  },
  {
    name: 'token',
    summary: 'who may change things in the rack',
    example: 'skolo token list',
    verbs: [addTokenNew, addTokenList, addTokenRevoke],
  },
  {
    name: 'metadata',
    summary: 'the metadata server: who asks it, and how fresh its tokens are',
    example: 'skolo metadata clients',
    verbs: [addMetadataClients, addMetadataIdentities],
  },
];

/**
 * Runs one command line to its end, and says what became of it.
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
    await createProgram(io).parseAsync(args, { from: 'user' });
  } catch (error) {
    // Help and version end this way, too. Errors are CliErrors.
    if (!(error instanceof CommanderError)) throw error;
    io.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.wrongCommandLine;
  }
}

/** All commands, with nothing run yet. */
function createProgram(io: Io): SkoloCommand {
  const program = new SkoloCommand('skolo')
    .description('Runs racks of test machines, from an engineer’s desk.')
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
  for (const { name, summary, example, verbs } of nouns) {
    const noun = program.command(name).summary(summary).helpCommand(false).example(example);
    noun.description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
    for (const add of verbs) add(noun, io);
  }
  return program;
}
