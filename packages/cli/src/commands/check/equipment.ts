import { count, errorCode, type Finding, lazily } from '@skolo/base';
import { readSecret, type Secret, type SecretRef } from '@skolo/base/secrets';
import { ownVersion } from '@skolo/common/version';
import type { MachineTarget } from '@skolo/fleet';
import type { Rack } from '@skolo/rack';
import { InvalidArgumentError, Option } from 'commander';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, failureOf } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { loadRack } from '../../workstation/rack-file.ts';
import { defineCheck } from './check.ts';
import type { JumphostLook } from './equipment/jumphost.ts';
import type { EquipmentLook, Looked } from './equipment/look-at-equipment.ts';
import type { LookDeps } from './equipment/readers.ts';

interface Options {
  plan?: true;
  record?: string;
  evidence?: string;
  jumphost?: MachineTarget;
  pause: number;
  timeout: number;
  json?: true;
}

/** `skolo check equipment`: compares rack.yaml with the devices. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Compares rack.yaml with the rack's switches, PDUs and router, without changing anything. The command checks sign-in (one attempt with each value of a password or key), models, firmware, outlets, configurations and MAC tables. With --jumphost, it also checks the jumphost's system, units, addresses and open ports, without root. It runs on any computer that can reach them. If you press Ctrl-C, it prints the results so far.",
    )
    .summary('compare rack.yaml with the equipment, read-only')
    .argument('[rack]', 'rack.yaml file or rack name')
    .option(
      '--jumphost <[user@]host>',
      'also read this jumphost, with your own SSH key and configuration',
      sshTarget,
    )
    .option('--plan', 'list what would be sent (without secrets), but send nothing')
    .addOption(
      option(
        '--record <dir>',
        'record what the equipment answers: recording-MODEL-FIRMWARE.yaml, without secrets, addresses, names or serial numbers; read the files before you pass them on',
      ),
    )
    .addOption(
      option('--evidence <dir>', 'write proof-MODEL-FIRMWARE.json, without names or addresses'),
    )
    .addOption(timeOption('--pause <time>', 'time between two readings of outlets', '4m'))
    .addOption(timeOption('--timeout <time>', 'time limit for each step', '2m'))
    .uses('rack')
    .example('skolo check equipment rack.yaml')
    .hook('preAction', (_, { args: [rack] }) => choose(command, rack));

  defineCheck(command, async (signal, _rack: string | undefined, options: Options) => {
    const { io } = command;
    const { lookAtRack } = await import('./equipment/look.ts');
    const rack = await rackToRead(command, options);
    const { plan: dry, record, pause: pauseMs, timeout: timeoutMs } = options;
    const { jumphost: target } = options;
    const given = target && { target, env: io.env, now: io.now };
    const readRef = storeReader(command, rack, signal);
    const isRecording = record !== undefined;
    const about = { pauseMs, timeoutMs, signal, dry, isRecording, readRef };
    const look = await lookAtRack(rack, about, given);
    const { equipment, jumphost, cabling } = look;
    const all = [...equipment, ...(jumphost ? [jumphost] : [])];
    if (dry) {
      if (options.json) printJson(io, look);
      else io.out(sentText(all, planned));
      return undefined;
    }
    await writeFiles(command, { rack, readRef, signal }, equipment, options);
    return {
      name: rack.name,
      findings: [
        ...all.flatMap(({ problems }) => problems),
        ...cabling,
        ...(jumphost ? factsOf(jumphost) : []),
        ...all.flatMap(ofLook),
      ],
      about: [
        count(equipment.length, 'piece of equipment', 'pieces of equipment'),
        ...(jumphost ? ['the jumphost'] : []),
      ],
      details: {
        equipment: equipment.map(withoutFindings),
        ...(jumphost && { jumphost: withoutFindings(jumphost) }),
      },
    };
  });
}

/** Recordings and evidence, and a line about each. */
async function writeFiles(
  { io }: SkoloCommand,
  deps: Pick<LookDeps, 'rack' | 'readRef' | 'signal'>,
  devices: readonly EquipmentLook[],
  { record, evidence }: Options,
): Promise<void> {
  const made = { skolo: ownVersion, day: new Date(io.now()).toISOString().slice(0, 10) };
  if (record !== undefined) {
    const { writeRecordings } = await import('./equipment/recordings.ts');
    for (const line of await writeRecordings(record, deps, devices, made)) io.err(line);
  }
  if (evidence !== undefined) {
    const { writeProofs } = await import('./equipment/evidence.ts');
    for (const file of await writeProofs(evidence, devices, made)) io.err(file);
  }
}

function withoutFindings<T extends Looked & Pick<EquipmentLook, 'recorder'>>({
  problems: _,
  notes: __,
  recorder: ___,
  ...look
}: T) {
  return look;
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
      'specify an existing file, as in skolo check equipment rack.yaml, or create one with skolo rack new';
    throw new CliError(`${file}: no such file; ${hint}`, error.exitCode, { cause: error });
  });
  if (rack.equipment.size > 0 || jumphost !== undefined) return rack;
  const hint =
    'add equipment to `equipment`, for example with skolo inventory import, or check the jumphost with --jumphost';
  throw new CliError(
    `${file}: contains no switches, PDUs or routers to read; ${hint}`,
    exitCodes.badConfiguration,
  );
}

/** Reads a secret from its file, or else from the store of a rack that is given by its name. */
function storeReader(
  command: SkoloCommand,
  rack: Rack,
  signal: AbortSignal,
): ((ref: SecretRef) => Promise<Secret>) | undefined {
  const { on } = command.globals();
  if (on === undefined) return undefined;
  const opened = lazily(async () => {
    const { openSecrets } = await import('../secrets/open-secrets.ts');
    return await openSecrets(command, on);
  });
  return async (ref) => {
    try {
      return await readSecret(rack, ref);
    } catch (error) {
      if (errorCode(error) !== 'SECRET_MISSING') throw error;
      const { storedValue } = await import('@skolo/fleet/secret-store/check');
      const { secrets, store } = await opened();
      return await storedValue(secrets, ref, ({ place }) => store.read(place, signal));
    }
  };
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

/** What would be sent: each step. */
function sentText(looks: readonly Looked[], named: ReadonlyMap<string, string>): string {
  const lines = looks.flatMap(({ equipment, model, transport, steps, sent }) =>
    steps.flatMap(({ step }, at) => [
      `${equipment} (${model}, ${transport}) ${named.get(step) ?? step}`,
      ...(sent[at] ?? []).map((line) => `  ${plain(line)}`),
    ]),
  );
  return lines.join('\n');
}

function factsOf({ equipment, facts }: JumphostLook): Finding[] {
  return facts.map(({ name, text }) => ({
    thing: `${equipment} ${name}`,
    state: 'info',
    found: text,
  }));
}

/** What was read, whatever it is. */
function ofLook(look: EquipmentLook | JumphostLook): Finding[] {
  const { equipment: thing, model, problems, notes, isComplete } = look;
  const summary = 'outlets' in look ? summaryOf(look) : [];
  return [
    ...notes.map((found): Finding => ({ thing, state: 'info', found })),
    ...(isComplete ? [] : [{ thing, state: 'unchecked', found: 'not read completely' } as const]),
    {
      thing,
      state: isComplete && problems.length === 0 ? 'ok' : 'info',
      found: [model, ...summary].join(', '),
    },
  ];
}

function summaryOf({ hardware, firmware, outlets, configuration: read, hosts }: EquipmentLook) {
  const states = Object.values(outlets.at(-1) ?? {}).map(({ state }) => state);
  const on = states.filter((state) => state === 'on').length;
  return [
    ...(hardware === undefined ? [] : [hardware]),
    ...(firmware === undefined ? [] : [`firmware ${firmware}`]),
    ...(on + states.length === 0
      ? []
      : [`${on} of ${count(states.length, 'outlet')} on (read ${count(outlets.length, 'time')})`]),
    ...(read
      ? [`configuration of ${count(read.bytes, 'byte')} (read ${count(read.readings, 'time')})`]
      : []),
    ...(hosts ? [count(hosts.hosts.length, 'host')] : []),
  ];
}
