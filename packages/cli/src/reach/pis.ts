/** Connects to running Raspberry Pis, as root over ssh: from this workstation, or with `--on` through their rack's jumphost. */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { errorText, inParallel, withDeadline } from '@skolo/base';
import { run } from '@skolo/base/run';
import type { Computers, MachineTarget } from '@skolo/fleet';
import type { Rack } from '@skolo/rack';
import { didYouMean } from '@skolo/rack/light';
import type { MemberResult } from '@skolo/setup/cluster';
import { ComputerError, type Host, openHost, type StepProgress } from '@skolo/setup/engine';
import type { SkoloCommand } from '../command.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../io.ts';
import { expandedNames } from '../names.ts';
import { rackIfAny } from '../workstation/rack-file.ts';
import { audit, computerOptions, targetOf } from './machine-way.ts';
import { openJumphostOf, rackOn } from './racks.ts';

export interface PiWayOptions {
  signInAs?: string;
  passwordFile?: string;
  acceptNewKeys?: true;
}

/** Options for the connection to Pis. */
export function addWayOptions(command: SkoloCommand): SkoloCommand {
  return command
    .option(
      '--sign-in-as <user>',
      'SSH user with sudo (default: the login in rack.yaml, otherwise the user in your SSH configuration, otherwise pi; without rack.yaml, ssh decides)',
    )
    .option(
      '--password-file <file>',
      "file that contains this user's password, for Pis that do not accept your keys yet",
    )
    .option('--accept-new-keys', 'accept unknown host keys; changed host keys are always rejected');
}

export interface Pis {
  /** In command-line order, without duplicates. */
  names: readonly string[];
  /** Undefined: the names are ssh host names. */
  rack: Rack | undefined;
  /** For ssh; undefined: ssh's configuration decides. */
  userOf(name: string): string | undefined;
  /** As root. @throws ComputerError @throws FleetError */
  open(name: string, signal: AbortSignal): Promise<Host>;
  /** Over a new, separate connection, with a key only: for changes that may lock us out. `server` as in `Guard`. */
  newSession(
    name: string,
    signal: AbortSignal,
    server?: string,
  ): Promise<Host & { close(): Promise<void> }>;
}

/**
 * Finds Pis by their names in rack.yaml, including the jumphost; connects to each when it is opened. All connections close when the command
 * ends.
 *
 * @param what for the log of the jumphost of `--on`; undefined: nothing changes
 * @param rack if it was already read
 * @throws CliError A machine is not in rack.yaml.
 */
export async function findPis(
  command: SkoloCommand,
  words: readonly string[],
  options: PiWayOptions,
  { what, signal, ...given }: { what: string | undefined; signal: AbortSignal; rack?: Rack },
): Promise<Pis> {
  const { io } = command;
  const names = [...new Set(expandedNames(words))];
  const rack = given.rack ?? (await rackIfAny(command.globals()));
  const targets = new Map(
    await Promise.all(
      names.map(async (name) => [name, await targetIn(rack, name, options.signInAs, io)] as const),
    ),
  );
  const through = await jumphostOn(command, what, signal);
  const { openComputers, openJumphost } = await import('@skolo/fleet');
  const { env } = io;
  const { passwordFile, acceptNewKeys: acceptsNewKeys = false } = options;
  const computers = await openComputers({
    env,
    acceptsNewKeys,
    ...(through && { jumphost: through.jumphost }),
    ...(passwordFile !== undefined && { passwordFile: resolve(io.folder, passwordFile) }),
  });
  command.atEnd(() => computers.close());
  const openBy = (from: Computers, name: string, stop: AbortSignal) => {
    const target = targets.get(name);
    if (target === undefined) throw new Error(`${name}: not one of these Pis`);
    return openHost(computerOptions(from, target, stop));
  };
  return {
    names,
    rack,
    userOf: (name) => targets.get(name)?.user,
    open: (name, stop) => openBy(computers, name, stop),
    async newSession(name, stop, server) {
      const way =
        through && (await openJumphost(through.rack, { env, mayAsk: false, signal: stop }));
      const own = await openComputers({ env, acceptsNewKeys, ...(way && { jumphost: way }) });
      const target = { ...targets.get(name), name };
      const jumphost = { sshArguments: (end: AbortSignal) => own.sshArguments(target, end) };
      const last =
        server === undefined ? own : await openComputers({ env, acceptsNewKeys, jumphost, server });
      const close = async () => {
        if (last !== own) await last.close();
        await own.close();
        await way?.close();
      };
      try {
        return { ...(await openBy(last, name, stop)), close };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

async function targetIn(
  rack: Rack | undefined,
  name: string,
  user: string | undefined,
  { env }: Pick<Io, 'env'>,
): Promise<MachineTarget> {
  const given = user === undefined ? {} : { user };
  if (rack === undefined) return { name, ...given };
  const { jumphost, machines } = rack;
  const machine = machines.get(name);
  const target = machine && targetOf(rack, machine);
  if (target?.user !== undefined) return { ...target, ...given };
  const usual = user === undefined && (await isFreeIn(name, env)) ? { user: usualUser } : given;
  if (name === jumphost.name) return { name, address: jumphost.address, ...usual };
  if (target !== undefined) return { ...target, ...usual };
  const hint = 'run skolo inventory list to see its machines';
  const guess = didYouMean(name, [jumphost.name, ...machines.keys()], hint);
  throw new CliError(`${name}: not in rack.yaml${guess}`);
}

/** The login of SD cards, if rack.yaml has none. */
export const usualUser = 'pi';

/** Whether ssh's configuration names no user for it. Source: ssh(1), -G. */
async function isFreeIn(name: string, env: Io['env']): Promise<boolean> {
  const { stdout } = await run('ssh', ['-G', name], { env });
  return /^user (.*)$/m.exec(stdout)?.[1] === userInfo().username;
}

async function jumphostOn(command: SkoloCommand, what: string | undefined, signal: AbortSignal) {
  if (command.globals().on === undefined) return undefined;
  const rack = await rackOn(command);
  const jumphost = await openJumphostOf(command, rack);
  if (what !== undefined) await audit(jumphost, rack.name, what, signal);
  return { rack, jumphost };
}

const atOnce = 16;

/**
 * Does the work on every Pi. A failure or timeout on one does not affect the others.
 *
 * @param limitMs for all the work on one Pi
 * @throws Only the signal's reason.
 */
export async function onEachPi(
  pis: Pick<Pis, 'names' | 'open'>,
  { limitMs, signal }: { limitMs: number; signal: AbortSignal },
  work: (pi: { name: string; host: Host; signal: AbortSignal }) => Promise<StepProgress[]>,
): Promise<MemberResult[]> {
  return await inParallel(pis.names, atOnce, async (name): Promise<MemberResult> => {
    const late = () =>
      new ComputerError(
        `${name}: not finished within ${Math.round(limitMs / 1000)} s; check the Pi and run the command again to continue`,
        { code: 'LOST' },
      );
    try {
      const steps = await withDeadline({ ms: limitMs, late, signal }, async (stop) =>
        work({ name, host: await pis.open(name, stop), signal: stop }),
      );
      return { name, steps };
    } catch (error) {
      signal.throwIfAborted();
      return { name, steps: [], why: errorText(error) };
    }
  });
}
