/** Reaches machines: finds their rack, and connects over ssh through its jumphost. */
import { existsSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { shellWord } from '@skolo/base';
import type { Computers, FleetRack, Jumphost, MachineTarget } from '@skolo/fleet';
import type { Machine, Rack } from '@skolo/rack';
import { didYouMean } from '@skolo/rack/light';
import type { Host } from '@skolo/setup/engine';
import type { SkoloCommand } from '../command.ts';
import { CliError, exitCodes } from '../errors.ts';
import { inClone, loadFleet, openJumphostOf, rackOn } from './racks.ts';

interface FoundMachines {
  rack: FleetRack;
  machines: MachineTarget[];
}

/**
 * These machines and their rack: the one of `--on`, otherwise the one whose rack.yaml has the first machine.
 *
 * @throws CliError No rack has all of them.
 */
export function findMachines(
  command: SkoloCommand,
  names: readonly string[],
): Promise<FoundMachines> {
  return find(command, names, machineTargets);
}

/** Like {@link findMachines}, but the jumphost counts as a machine of its rack. */
export function findComputers(
  command: SkoloCommand,
  names: readonly string[],
): Promise<FoundMachines> {
  return find(command, names, (rack) => {
    const { name } = rack.jumphost;
    return new Map([[name, { name, isJumphost: true }], ...machineTargets(rack)]);
  });
}

type Targets = ReadonlyMap<string, MachineTarget>;

function machineTargets(rack: Rack): Targets {
  return new Map([...rack.machines].map(([name, machine]) => [name, targetOf(rack, machine)]));
}

async function find(
  command: SkoloCommand,
  names: readonly string[],
  targetsOf: (rack: Rack) => Targets,
): Promise<FoundMachines> {
  const [first = ''] = names;
  const racks = await racksToSearch(command);
  const inventories = await readInventories(racks, targetsOf);
  const found = inventories.find(({ targets }) => targets.has(first)) ?? inventories[0];
  const known = inventories.flatMap(({ targets }) => [...targets.keys()]);
  if (found === undefined) {
    const searched = racks.map(({ name }) => name).join(', ');
    const what =
      searched === ''
        ? 'the list of racks is empty; add a rack with skolo racks add'
        : `no rack.yaml found for ${searched}; ${inClone}`;
    throw new CliError(what, exitCodes.badConfiguration);
  }
  const { rack, targets } = found;
  const machines = names.map((name) => {
    const target = targets.get(name);
    if (target !== undefined) return target;
    throw new CliError(
      `${name}: no such machine in ${rackNames(inventories, first)}${didYouMean(name, known)}`,
    );
  });
  return { rack, machines };
}

/** How ssh reaches a machine from the jumphost. */
export function targetOf({ logins }: Rack, { name, address, login }: Machine): MachineTarget {
  const user = login === undefined ? undefined : logins.get(login)?.username;
  return { name, ...(address !== undefined && { address }), ...(user !== undefined && { user }) };
}

interface Task {
  /** For the jumphost's log; undefined: nothing changes. */
  what?: string | undefined;
  signal: AbortSignal;
  /** In errors; default: the rack's. */
  name?: string;
}

/**
 * A rack's jumphost, and its root session, until the command ends.
 *
 * @throws FleetError @throws ComputerError @throws CliError
 */
export async function openJumphostHost(
  command: SkoloCommand,
  rack: FleetRack,
  { what, signal, name = rack.name }: Task,
): Promise<{ jumphost: Jumphost; host: Host }> {
  const jumphost = await openJumphostOf(command, rack);
  if (what !== undefined) await audit(jumphost, rack.name, what, signal);
  const { openHost } = await import('@skolo/setup/engine');
  return { jumphost, host: await openHost(hostOptions({ name }, jumphost, signal)) };
}

/** For openHost: the jumphost of a rack. */
export function hostOptions(
  { name }: Pick<FleetRack, 'name'>,
  jumphost: Jumphost,
  signal: AbortSignal,
) {
  return {
    name,
    signal,
    start: (command: string, stop: AbortSignal) =>
      jumphost.startOnJumphost(command, { stdio: 'pipe' }, stop),
  };
}

/** For openHost: a machine behind a jumphost. */
export function machineOptions(jumphost: Jumphost, machine: MachineTarget, signal: AbortSignal) {
  return {
    name: machine.name,
    signal,
    start: (script: string, stop: AbortSignal) =>
      jumphost.startOnMachine(
        machine,
        { command: script, hasTerminal: false },
        { stdio: 'pipe' },
        stop,
      ),
  };
}

/** For openHost: one of several computers. */
export function computerOptions(
  { start }: Pick<Computers, 'start'>,
  target: MachineTarget,
  signal: AbortSignal,
) {
  return {
    name: target.name,
    signal,
    start: (script: string, stop: AbortSignal) => start(target, script, { stdio: 'pipe' }, stop),
  };
}

interface Inventory {
  rack: FleetRack;
  targets: Targets;
}

/** One rack, if it has the first machine; otherwise all racks that were searched. */
function rackNames(inventories: readonly Inventory[], first: string): string {
  const own = inventories.filter(({ targets }) => targets.has(first));
  return (own.length > 0 ? own : inventories).map(({ rack }) => rack.name).join(', ');
}

async function racksToSearch(command: SkoloCommand): Promise<readonly FleetRack[]> {
  if (command.globals().on !== undefined) return [await rackOn(command)];
  return (await loadFleet(command)).racks;
}

async function readInventories(
  racks: readonly FleetRack[],
  targetsOf: (rack: Rack) => Targets,
): Promise<Inventory[]> {
  const { readRack } = await import('@skolo/rack');
  const read = racks.map(async (rack) => {
    const file = join(rack.overlay, 'rack.yaml');
    return existsSync(file) ? [{ rack, targets: targetsOf(await readRack(file)) }] : [];
  });
  return (await Promise.all(read)).flat();
}

/**
 * Logs on the jumphost who does what. Without a log entry, nothing is done.
 *
 * @throws CliError
 */
export async function audit(
  { onJumphost }: Pick<Jumphost, 'onJumphost'>,
  rack: string,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const line = `${workstationName()}: ${what}`.replaceAll(/[^\x20-\x7e]/g, '?');
  const { code, stderr } = await onJumphost(`logger -t skolo -- ${shellWord(line)}`, signal);
  if (code === 0) return;
  throw new CliError(
    `${rack}: could not write to the jumphost's log (${stderr}); check \`logger\` there`,
  );
}

/** For logs and leases. */
export function workstationName(): string {
  return `${userInfo().username}@${hostname()}`;
}
