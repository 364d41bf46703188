/** Racks by name: the list of racks, and the connection to one. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Fetch } from '@skolo/base/internet';
import type { Fleet, FleetRack, Jumphost, K3sRack, OnNextWay, OpenRack } from '@skolo/fleet';
import type { Rack, Role } from '@skolo/rack';
import { Option } from 'commander';
import { roles } from '../arguments.ts';
import type { SkoloCommand } from '../command.ts';
import { CliError, exitCodes } from '../errors.ts';
import type { Io } from '../io.ts';
import { plain } from '../output/text.ts';
import { readDefaults } from '../workstation/workstation-files.ts';

/** The racks of `--clusters`, otherwise of the clone of the racks repository around the working directory. */
export async function loadFleet(command: SkoloCommand): Promise<Fleet> {
  return (await import('@skolo/fleet')).readFleet(await clustersFile(command));
}

/** The file that `loadFleet` reads. */
export async function clustersFile(command: SkoloCommand): Promise<string> {
  const { clusters } = command.globals();
  if (clusters !== undefined) return clusters;
  const { FleetError, findClustersFile } = await import('@skolo/fleet');
  try {
    return findClustersFile(command.io.folder);
  } catch (error) {
    const { clusters: usual } = await readDefaults(command.io.env);
    if (error instanceof FleetError && usual !== undefined) return usual;
    throw error;
  }
}

/** The rack with this name. */
export async function rackNamed(command: SkoloCommand, name: string): Promise<FleetRack> {
  const { findRack } = await import('@skolo/fleet');
  return findRack(await loadFleet(command), name);
}

/** What to do if a file of the repository is not where the list of racks is. */
export const inClone =
  'run this command in a clone of the racks repository, or specify its list of racks with --clusters kube/clusters/config.json';

/** A rack's rack.yaml. @throws CliError It does not exist. @throws RackError It has errors. */
export async function readRackOf({ name, overlay }: FleetRack): Promise<Rack> {
  const file = join(overlay, 'rack.yaml');
  if (!existsSync(file)) {
    throw new CliError(`${name}: ${file}: no such file; ${inClone}`, exitCodes.badConfiguration);
  }
  return (await import('@skolo/rack')).readRack(file);
}

/** @throws CliError It has no jumphost. */
export function withJumphost(rack: FleetRack): K3sRack {
  if (rack.type !== 'gke') return rack;
  throw new CliError(`${rack.name}: this is a GKE cluster, which does not have a jumphost`);
}

/** The rack of `--on`. */
export async function rackOn(command: SkoloCommand): Promise<FleetRack> {
  const { on } = command.globals();
  if (on === undefined) command.error('specify a rack with --on NAME');
  return await rackNamed(command, on);
}

/** `--role` of commands that use a rack's cluster. */
export function roleOption(): Option {
  return new Option('--role <role>', 'role in the cluster').choices(roles).default('view');
}

/**
 * Opens a rack's cluster until the command ends. Ctrl-C during this ends the command.
 *
 * @throws FleetError @throws CliError
 */
export async function openNamed(
  command: SkoloCommand,
  name: string,
  role: Role,
): Promise<OpenRack> {
  const rack = await rackNamed(command, name);
  const { openRack } = await import('@skolo/fleet');
  return await opened(command, (options) => openRack(rack, { role, ...options }));
}

interface OpenOptions {
  env: Io['env'];
  mayAsk: boolean;
  signal: AbortSignal;
  onTrouble(error: Error): void;
  onNextWay(error: Error): void;
}

async function opened<T extends { close(): Promise<void> }>(
  command: SkoloCommand,
  open: (options: OpenOptions) => Promise<T>,
): Promise<T> {
  const { io } = command;
  // Only if nothing else is on the screen.
  const onTrouble = ({ message }: Error) => {
    if (io.env.SKOLO_DEBUG === '1') io.err(plain(`skolo: ${message}`));
  };
  const onNextWay = ({ message }: Error) => io.err(plain(`skolo: ${message}`));
  return await interruptible(command, async (signal) => {
    const given = { env: io.env, mayAsk: io.canAsk, signal, onTrouble, onNextWay };
    const found = await open(given);
    command.atEnd(found.close);
    return found;
  });
}

/** Opens many racks in parallel for reading. It must not prompt: nobody could tell which rack is asking. */
export async function openerToRead({ env }: Io) {
  const { openRack } = await import('@skolo/fleet');
  return (rack: FleetRack, signal: AbortSignal, onNextWay: OnNextWay) =>
    openRack(rack, { role: 'view', env, mayAsk: false, signal, onNextWay });
}

/** One connection for all services that a command uses. */
const ways = new WeakMap<Io, Promise<Fetch>>();

/** `fetch` through the jumphost of `--on`, until the command ends. */
export function fetchOn(command: SkoloCommand): Promise<Fetch> {
  const way = ways.get(command.io) ?? openWay(command);
  ways.set(command.io, way);
  return way;
}

/** In a shell of attach, through that shell's ssh connection. */
async function openWay(command: SkoloCommand): Promise<Fetch> {
  const rack = await rackOn(command);
  const { SKOLO_ON: ofShell, SKOLO_WAY: file } = command.io.env;
  const { fetchBySharedWay } = await import('@skolo/fleet');
  const shared =
    file !== undefined && rack.name === ofShell ? await fetchBySharedWay(file) : undefined;
  return shared ?? (await openJumphostOf(command, rack)).fetch;
}

/** Connects to a jumphost only, until the command ends. Ctrl-C during this ends the command. */
export async function openJumphostOf(command: SkoloCommand, rack: FleetRack): Promise<Jumphost> {
  const { openJumphost } = await import('@skolo/fleet');
  return await opened(command, (options) => openJumphost(rack, options));
}

/** Ctrl-C, SIGTERM and SIGHUP abort the work. */
export async function interruptible<T>(
  { io }: SkoloCommand,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const end = io.onSignal(() => stop.abort(new CliError('interrupted', exitCodes.interrupted)));
  try {
    return await work(stop.signal);
  } finally {
    end();
  }
}
