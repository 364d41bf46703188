/**
 * Computers with one SSH connection each, from this workstation or through a jumphost: for running many commands on many computers,
 * each of which may fail independently.
 */
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shellWord, withDeadline } from '@skolo/base';
import { FleetError } from '../errors.ts';
import type { Way } from '../racks/clusters.ts';
import { type StartOptions, startGuardian } from './local/guardian.ts';
import { Tunnel } from './ssh/tunnel.ts';
import type { Jumphost, MachineTarget } from './way.ts';

interface ComputersOptions {
  env: NodeJS.ProcessEnv;
  /** Between the workstation and all of them. */
  jumphost?: Pick<Jumphost, 'sshArguments'>;
  /** A command on that jumphost that serves SSH on its standard streams, instead of the port of each. */
  server?: string;
  /** A file with the password for computers that do not accept the workstation's keys yet. */
  passwordFile?: string;
  /** Accepts host keys of computers that are unknown to this workstation, but not changed ones. */
  acceptsNewKeys?: boolean;
  /** Limit of each connection. */
  connectMs?: number;
}

export interface Computers {
  /**
   * Starts a command on a computer. The first one connects, and later ones wait for a new connection if it has dropped.
   *
   * @throws FleetError The message says what to do.
   */
  start(
    target: MachineTarget,
    command: string,
    options: StartOptions,
    signal: AbortSignal,
  ): Promise<ChildProcess>;
  /** Arguments of ssh that use the connection to a computer. */
  sshArguments(target: MachineTarget, signal: AbortSignal): Promise<string[]>;
  close(): Promise<void>;
}

/** ssh must not prompt, because several connections start at the same time. */
export async function openComputers({
  env,
  jumphost,
  server,
  passwordFile,
  acceptsNewKeys = false,
  connectMs = 30_000,
}: ComputersOptions): Promise<Computers> {
  const guardian = await startGuardian(env);
  const tunnels = new Map<string, { tunnel: Tunnel; started: Promise<Way> }>();
  const password =
    passwordFile && (await passwordProgram(join(guardian.folder, 'password'), passwordFile));

  function wayTo({ name, address, user }: MachineTarget): Way {
    return {
      host: name,
      ...(address !== undefined && { address }),
      ...(user !== undefined && { user }),
      ...(jumphost && { through: jumphost.sshArguments }),
      ...(server !== undefined && { server }),
      signIn: { hasPassword: password !== undefined, acceptsNewKeys },
    };
  }

  function connect(target: MachineTarget, signal: AbortSignal) {
    const { name } = target;
    const late = () =>
      new FleetError(
        `${name}: no SSH connection within ${connectMs / 1000} s; the computer may be off, hung or overloaded`,
      );
    const tunnel = new Tunnel({
      name,
      guardian,
      ways: [wayTo(target)],
      mayAsk: false,
      env: { ...env, ...password },
      onConnected() {},
      onLost() {},
    });
    const started = withDeadline({ ms: connectMs, late, signal }, (stop) => tunnel.start(stop));
    // Each attempt is a new connection.
    started.catch(() => tunnels.delete(name));
    return { tunnel, started };
  }

  async function sshArguments(target: MachineTarget, signal: AbortSignal) {
    const known = tunnels.get(target.name) ?? connect(target, signal);
    tunnels.set(target.name, known);
    await known.started;
    return await known.tunnel.sshArguments(signal);
  }

  return {
    sshArguments,
    async start(target, command, options, signal) {
      const args = ['-T', ...(await sshArguments(target, signal)), command];
      return guardian.start('ssh', args, { env, ...options });
    },
    async close() {
      await Promise.all([...tunnels.values()].map(({ tunnel }) => tunnel.close()));
      await guardian.close();
    },
  };
}

/** ssh gets the password from a program, so that it is neither an argument nor in the environment. Source: ssh(1), SSH_ASKPASS. */
async function passwordProgram(path: string, file: string): Promise<NodeJS.ProcessEnv> {
  const script = `#!/bin/sh
# Answers only password prompts, not prompts for passphrases of keys.
case $1 in *assword*) exec cat ${shellWord(file)} ;; *) exit 1 ;; esac
`;
  await writeFile(path, script, { mode: 0o700 });
  return { SSH_ASKPASS: path, SSH_ASKPASS_REQUIRE: 'force' };
}
