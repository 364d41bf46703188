/**
 * Opens what a push requires on this workstation. Decides whether it carries images to a rack (one without an internet connection), and
 * how long it waits until pods are ready, or a rack is reachable again.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { kill, pid } from 'node:process';
import { errorCode } from '@skolo/base';
import { type Fleet, findRack, openRack } from '@skolo/fleet';
import {
  carryImages,
  hasEnded,
  type OpenedRack,
  openRecords,
  openRepository,
  type PushDeps,
  type PushRecord,
  type Records,
  stagesOf,
  usualTimes,
} from '@skolo/fleet/push';
import { Option } from 'commander';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { workstationName } from '../../reach/machine-way.ts';
import { loadFleet } from '../../reach/racks.ts';
import { userFolder } from '../../workstation/workstation-files.ts';

/** `--racks`. */
export function racksOption(): Option {
  const parse = (text: string) => text.split(',').map((name) => name.trim());
  return new Option('--racks <names>', 'comma-separated racks (default: all)').argParser(parse);
}

export function soakOption(): Option {
  return timeOption('--soak <time>', 'how long everything must stay healthy', '60s');
}

export function onFailureOption(): Option {
  return new Option('--on-failure <what>', 'what to do with the remaining racks if one fails')
    .choices(['stop', 'continue'])
    .default('stop');
}

/** The selected racks, in the order of the list. */
export function namedRacks(fleet: Fleet, names: readonly string[] | undefined): string[] {
  for (const name of names ?? []) findRack(fleet, name);
  return fleet.racks.map(({ name }) => name).filter((name) => names?.includes(name) ?? true);
}

/** Records of this workstation's pushes. */
export function ownRecords({ env }: Io): Records {
  return openRecords(join(userFolder(env, 'XDG_STATE_HOME'), 'skolo', 'pushes'));
}

/** Sorts by time, and is unique to the workstation. */
export function newPushId(now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[:.]/g, '-');
  return `${time}-${randomBytes(3).toString('hex')}`;
}

/** Interrupted pushes. */
export async function unfinished(records: Records): Promise<PushRecord[]> {
  return (await records.all()).filter(({ racks }) => !racks.every(hasEnded));
}

/** @throws CliError An interrupted push must be finished first. */
export async function rejectUnfinished(records: Records, racks: readonly string[]): Promise<void> {
  for (const { request, racks: all } of await unfinished(records)) {
    const open = all.filter((each) => !hasEnded(each)).map(({ rack }) => rack);
    if (!open.some((name) => racks.includes(name))) continue;
    throw new CliError(
      `push ${request.id} is unfinished on ${open.join(', ')}; run skolo push resume to continue it, or skolo push resume --back to roll it back`,
    );
  }
}

/**
 * @param isResumed a killed push may have left a file that it was about to commit
 * @throws FleetError The racks repository is not ready.
 */
export async function openPush(
  command: SkoloCommand,
  signal: AbortSignal,
  {
    isResumed = false,
    report = (rack, text) => command.io.out(plain(`${rack}: ${text}`)),
  }: { isResumed?: boolean; report?: PushDeps['report'] } = {},
): Promise<{ fleet: Fleet; deps: PushDeps }> {
  const { io } = command;
  const fleet = await loadFleet(command);
  const deps: PushDeps = {
    repository: await openRepository(fleet.file, signal, { mayBeDirty: isResumed }),
    records: ownRecords(io),
    open: (name, stop) => openForPush(io, fleet, name, stop),
    stages: stagesOf(fleet),
    workstation: thisWorkstation(),
    times: usualTimes,
    signal,
    now: io.now,
    report,
  };
  return { fleet, deps };
}

/** A connection to a rack that lasts until `close`. */
async function openForPush(
  io: Io,
  fleet: Fleet,
  name: string,
  signal: AbortSignal,
): Promise<OpenedRack> {
  const rack = findRack(fleet, name);
  const open = await openRack(rack, {
    role: 'admin',
    env: io.env,
    mayAsk: io.canAsk,
    signal,
    onTrouble: (error) => io.err(plain(`${name}: ${error.message}`)),
  });
  const { kubectl, close } = open;
  if (rack.type === 'gke' || rack.internet) return { name, kubectl, close };
  return {
    name,
    kubectl,
    close,
    carry: (images, given) => carryImages(images, { name, jumphost: open, ...given }),
  };
}

/** This computer, its user and this process. */
export function thisWorkstation(): PushDeps['workstation'] {
  return { name: workstationName(), pid, isAlive };
}

function isAlive(other: number): boolean {
  try {
    return kill(other, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
