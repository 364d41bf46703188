/** Opens a connection to a jumphost over SSH, without the cluster. */

import type { ChildProcess } from 'node:child_process';
import { FleetError } from '../errors.ts';
import { runToEnd } from '../program.ts';
import type { FleetRack, K3sRack } from '../racks/clusters.ts';
import { type Guardian, type StartOptions, startGuardian } from './local/guardian.ts';
import { rejectOther } from './other-jumphost.ts';
import { relayCommand, streamOf } from './ssh/datagram-relay.ts';
import { machineArguments } from './ssh/ssh.ts';
import { Tunnel } from './ssh/tunnel.ts';
import { type Open, tunnelFetch } from './ssh/tunnel-fetch.ts';
import type { Jumphost, OpenOptions } from './way.ts';

/** @throws FleetError The message says what to do. @throws The signal's reason. */
export async function openJumphost(
  rack: FleetRack,
  { env, mayAsk, signal, onTrouble = () => {}, onNextWay }: Omit<OpenOptions, 'role'>,
): Promise<Jumphost & { close(): Promise<void> }> {
  if (rack.type === 'gke') throw noJumphost(rack);
  const { name, ways } = rack;
  const guardian = await startGuardian(env);
  const tunnel = new Tunnel({
    name,
    ways,
    guardian,
    env,
    mayAsk,
    onLost: onTrouble,
    onNextWay,
    onConnected() {},
  });
  async function close() {
    await tunnel.close();
    await guardian.close();
  }
  const jumphost = throughTunnel(tunnel, guardian, env);
  try {
    await rejectOther(rack, await tunnel.start(signal), jumphost, signal);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...jumphost, close };
}

/**
 * A connection to a second SSH server: a command on the jumphost that serves SSH on its standard streams.
 *
 * @throws FleetError The message says what to do. @throws The signal's reason.
 */
export async function openServer(
  rack: K3sRack,
  server: string,
  options: Omit<OpenOptions, 'role'>,
): Promise<Jumphost & { close(): Promise<void> }> {
  const outer = await openJumphost(rack, options);
  const through = outer.sshArguments;
  try {
    const ways = rack.ways.map(({ jump: _, ...way }) => ({ ...way, through, server }));
    const inner = await openJumphost({ ...rack, ways }, options);
    async function close() {
      await inner.close();
      await outer.close();
    }
    return { ...inner, close };
  } catch (error) {
    await outer.close();
    throw error;
  }
}

export function throughTunnel(
  tunnel: Tunnel,
  guardian: Guardian,
  env: NodeJS.ProcessEnv,
): Jumphost {
  const connect: Open = (host, port, signal) => tunnel.open(host, port, signal);
  function start(args: readonly string[], options: StartOptions): ChildProcess {
    return guardian.start('ssh', args, { env, ...options });
  }
  return {
    connect,
    sshArguments: (signal) => tunnel.sshArguments(signal),
    async datagrams(host, port, signal) {
      const args = ['-T', ...(await tunnel.sshArguments(signal)), relayCommand(host, port)];
      return streamOf(start(args, {}));
    },
    fetch: tunnelFetch(connect),
    async onJumphost(command, signal, input = '') {
      const args = ['-T', ...(await tunnel.sshArguments(signal)), command];
      const { stderr, ...ended } = await runToEnd(() => start(args, {}), { input, signal });
      return { ...ended, stderr: stderr.trim() };
    },
    async startOnJumphost(command, options, signal) {
      return start(['-T', ...(await tunnel.sshArguments(signal)), command], options);
    },
    async startOnMachine(machine, { command, hasTerminal }, options, signal) {
      const through = await tunnel.sshArguments(signal);
      const args = machine.isJumphost
        ? [hasTerminal ? '-t' : '-T', ...through]
        : machineArguments(machine, through, hasTerminal);
      return start([...args, ...(command === undefined ? [] : [command])], options);
    },
  };
}

/** For operations that a GKE cluster does not support. */
export function noJumphost({ name }: FleetRack): FleetError {
  return new FleetError(`${name}: a GKE cluster has no jumphost; use kubectl`);
}
