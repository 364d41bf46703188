import { writeFile } from 'node:fs/promises';
import { count } from '@skolo/base';
import { ownVersion } from '@skolo/common/version';
import type { MachineTarget } from '@skolo/fleet';
import type { Rack } from '@skolo/rack';
import { InvalidArgumentError, Option } from 'commander';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, failureOf } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { type Column, table } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { loadRack } from '../../workstation/rack-file.ts';
import type { DeviceLook, Looked } from './device.ts';
import type { JumphostLook } from './jumphost.ts';
import type { RackLook } from './look.ts';

interface Options {
  look?: true;
  plan?: true;
  record?: string;
  evidence?: string;
  jumphost?: MachineTarget;
  pause: number;
  timeout: number;
  json?: true;
}

/** `skolo prove`: compares rack.yaml with the devices. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Compares rack.yaml with the rack's switches, PDUs and router, without changing anything. The command checks sign-in (with one attempt for each device), models, firmware, outlets, configurations and MAC tables. With --jumphost, it also checks the jumphost's system, units, addresses and open ports, without root. It runs on any computer that can reach the devices. If you press Ctrl-C, it prints the results so far. Exit codes: 0 no problems; 1 problems found; 78 no devices in rack.yaml.",
    )
    .summary("compare rack.yaml with the rack's devices, read-only")
    .argument('[rack]', 'rack.yaml file or rack name')
    .option('--look', 'read the devices without changing anything (default)')
    .option(
      '--jumphost <[user@]host>',
      'also read this jumphost, with your own SSH key and configuration',
      sshTarget,
    )
    .option('--plan', 'list what would be sent (without secrets), but send nothing')
    .addOption(
      option('--record <file>', 'file in which to record what was sent, in the format of --plan'),
    )
    .addOption(
      option('--evidence <dir>', 'write proof-MODEL-FIRMWARE.json, without names or addresses'),
    )
    .addOption(timeOption('--pause <time>', 'time between two readings of outlets', '4m'))
    .addOption(timeOption('--timeout <time>', 'time limit for each step on a device', '2m'))
    .option('--json', 'print JSON')
    .uses('rack')
    .example('skolo prove rack.yaml')
    .hook('preAction', (_, { args: [rack] }) => choose(command, rack));

  command.interruptible(async (signal, _rack: string | undefined, options: Options) => {
    const { io } = command;
    const { lookAtRack } = await import('./look.ts');
    const rack = await rackToRead(command, options);
    const { plan: dry, record, evidence, pause: pauseMs, timeout: timeoutMs } = options;
    const { jumphost: target } = options;
    const jumphost = target && { target, env: io.env, now: io.now };
    const look = await lookAtRack(rack, { pauseMs, timeoutMs, signal, dry }, jumphost);
    const all = [...look.devices, ...(look.jumphost ? [look.jumphost] : [])];
    if (dry) {
      if (options.json) printJson(io, look);
      else io.out(sentText(all, planned));
      return;
    }
    if (record !== undefined) await writeFile(record, `${sentText(all)}\n`);
    if (evidence !== undefined) {
      const { writeProofs } = await import('./evidence.ts');
      const day = new Date(io.now()).toISOString().slice(0, 10);
      const about = { skolo: ownVersion, day };
      for (const file of await writeProofs(evidence, look.devices, about)) io.err(file);
    }
    if (options.json) printJson(io, look);
    else print(io, rack.name, look);
    const hasProblems = all.some(({ problems }) => problems.length > 0);
    if (hasProblems || look.cabling.length > 0) io.exitCode = exitCodes.failed;
    signal.throwIfAborted();
  });
}

/** Nothing is read for a plan, so there is nothing to write. */
function option(flags: string, description: string): Option {
  return new Option(flags, description).conflicts('plan');
}

/** The argument is a file or the name of a rack. */
async function choose(command: SkoloCommand, rack: string | undefined): Promise<void> {
  if (rack === undefined) return;
  const isFile = /\/|\.ya?ml$/.test(rack);
  command.root().setOptionValueWithSource(isFile ? 'rack' : 'on', rack, 'cli');
  if (isFile) return;
  try {
    const { rackOn } = await import('../../reach/racks.ts');
    await rackOn(command);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { withHint } = await import('@skolo/rack/light');
    const hint = 'to check a rack that is not listed there, specify its file, such as ./rack.yaml';
    throw new CliError(withHint(error.message, hint), failureOf(error).exitCode, { cause: error });
  }
}

/** @throws CliError There is no such file, or nothing to read. */
async function rackToRead(command: SkoloCommand, { jumphost }: Options): Promise<Rack> {
  const globals = command.globals();
  const file = globals.rack;
  const rack = await loadRack(globals).catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
    const hint =
      'specify an existing file, as in skolo prove rack.yaml, or create one with skolo rack new';
    throw new CliError(`${file}: no such file; ${hint}`, error.exitCode, { cause: error });
  });
  if (rack.infrastructure.size > 0 || jumphost !== undefined) return rack;
  const hint =
    'add devices to `infrastructure`, for example with skolo inventory import, or check the jumphost with --jumphost';
  throw new CliError(
    `${file}: contains no switches, PDUs or routers to read; ${hint}`,
    exitCodes.badConfiguration,
  );
}

/** `ops@jumphost-rack4` */
function sshTarget(text: string): MachineTarget {
  const [, user, name] = /^(?:([\w.][\w.-]*)@)?([\w:][\w.:-]*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('expected [USER@]HOST');
  return { name, ...(user !== undefined && { user }) };
}

/** A plan shows the first of several readings. */
const planned = new Map([
  ['outlets 1', 'outlets 1, 2 and 3'],
  ['configuration 1', 'configuration 1 and 2'],
]);

/** What was sent, or would be: each step of each device. */
function sentText(devices: readonly Looked[], named?: ReadonlyMap<string, string>): string {
  const lines = devices.flatMap(({ device, model, transport, steps, sent }) =>
    steps.flatMap(({ step }, at) => [
      `${device} (${model}, ${transport}) ${named?.get(step) ?? step}`,
      ...(sent[at] ?? []).map((line) => `  ${plain(line)}`),
    ]),
  );
  return lines.join('\n');
}

function print(io: Io, rack: string, { devices, cabling, jumphost }: RackLook): void {
  const sorted = [...devices].sort((a, b) => b.problems.length - a.problems.length);
  io.out(table(columns, sorted, io, below));
  for (const { name, what, advice } of cabling) {
    io.out(plain(`cabling: ${name}: ${what}${advice === undefined ? '' : `; ${advice}`}`));
  }
  if (jumphost !== undefined) printJumphost(io, jumphost);
  const all = [...devices, ...(jumphost ? [jumphost] : [])];
  const problems = all.reduce((sum, each) => sum + each.problems.length, cabling.length);
  const found = problems === 0 ? 'no problems' : count(problems, 'problem');
  const what = `${count(devices.length, 'device')}${jumphost ? ' and the jumphost' : ''}`;
  io.out(`${rack}: ${what}, ${found}; nothing was changed`);
}

function below({ problems, notes }: Looked): string[] {
  return [
    ...problems.map(({ what }) => plain(`  problem: ${what}`)),
    ...notes.map((note) => plain(`  note: ${note}`)),
  ];
}

function printJumphost(io: Io, look: JumphostLook): void {
  io.out(look.isComplete ? look.device : `${look.device}: not read completely`);
  for (const { name, text } of look.facts) io.out(plain(`  ${name}: ${text}`));
  for (const line of below(look)) io.out(line);
}

const columns: Column<DeviceLook>[] = [
  { title: 'DEVICE', cell: ({ device }) => device, shrinkTo: 12 },
  { title: 'MODEL', cell: ({ model }) => model, shrinkTo: 10 },
  { title: 'HARDWARE', cell: ({ hardware }) => hardware, shrinkTo: 8, leaveOut: 1 },
  { title: 'FIRMWARE', cell: ({ firmware }) => firmware, shrinkTo: 8 },
  { title: 'OUTLETS', cell: outletsText, leaveOut: 2 },
  {
    title: 'CONFIGURATION',
    cell: ({ configuration: read }) =>
      read && `${read.bytes} bytes, ${count(read.readings, 'time')}`,
    leaveOut: 3,
  },
  { title: 'HOSTS', cell: ({ hosts }) => hosts?.hosts.length, leaveOut: 4 },
  {
    title: 'RESULT',
    cell: ({ problems, isComplete }) =>
      problems.length > 0 ? count(problems.length, 'problem') : isComplete ? 'ok' : 'interrupted',
    style: ({ problems, isComplete }) =>
      problems.length > 0 ? 'red' : isComplete ? 'green' : 'yellow',
  },
];

function outletsText({ outlets }: DeviceLook): string | undefined {
  const states = Object.values(outlets.at(-1) ?? {}).map(({ state }) => state);
  if (states.length === 0) return undefined;
  const on = states.filter((state) => state === 'on').length;
  return `${on} of ${states.length} on, ${count(outlets.length, 'time')}`;
}
