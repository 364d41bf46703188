/** Interfaces of connections to a rack, or only to its jumphost. */

import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Fetch } from '@skolo/base/internet';
import type { Role } from '@skolo/rack';
import type { Ended, ProgramOptions } from '../program.ts';
import type { FleetRack } from '../racks/clusters.ts';
import type { Kubectl } from './kubectl.ts';
import type { StartOptions } from './local/guardian.ts';
import type { Open } from './ssh/tunnel-fetch.ts';

/** Operations through a jumphost. */
export interface Jumphost {
  /** Sends requests, marked as forwarded, to any address that the jumphost can reach. */
  fetch: Fetch;
  /** Opens a connection to such an address, without marking it. */
  connect: Open;
  /** Arguments of a client of its connection of ssh. */
  sshArguments(signal: AbortSignal): Promise<string[]>;
  /** UDP datagrams to and from such an address, each with a two-byte length prefix. */
  datagrams(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Runs a command in the jumphost's shell. The exit code is also 255 if ssh failed. */
  onJumphost(command: string, signal: AbortSignal, input?: ProgramOptions['input']): Promise<Ended>;
  /** Starts a command on the jumphost. It ends when this process dies or the way is closed. */
  startOnJumphost(
    command: string,
    options: StartOptions,
    signal: AbortSignal,
  ): Promise<ChildProcess>;
  /** Starts `ssh` to a machine behind the jumphost, with the user's own key and configuration for that machine, or a client of the connection to the jumphost. */
  startOnMachine(
    machine: MachineTarget,
    command: MachineCommand,
    options: StartOptions,
    signal: AbortSignal,
  ): Promise<ChildProcess>;
}

/** For GKE, operations through the jumphost fail with a FleetError. */
export interface OpenRack extends Jumphost {
  rack: FleetRack;
  /** A private directory (0700) that is removed at the end. */
  folder: string;
  /** Path of the kubeconfig. It works until `close`; the tunnel behind it reconnects when it drops. */
  kubeconfig: string;
  /** The given environment and KUBECONFIG, for kubectl and other programs. */
  env: NodeJS.ProcessEnv;
  /** Runs kubectl and collects its output. Ctrl-C in the terminal does not reach it. */
  kubectl: Kubectl;
  /** Starts a program. It receives SIGHUP when this process ends or the rack is closed. */
  spawn(program: string, args: readonly string[], options?: StartOptions): ChildProcess;
  /** Ends the tunnel and everything that runs through it, and removes all files. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Permissions of the kubeconfig's token. GKE has its own roles. */
  role: Role;
  /** Environment of this process: PATH, HOME, SSH_AUTH_SOCK, XDG_RUNTIME_DIR. */
  env: NodeJS.ProcessEnv;
  /** Whether ssh may ask for a passphrase or a host key. Needs a terminal. */
  mayAsk: boolean;
  /** Aborts opening the rack. An open rack is closed by `close`. */
  signal: AbortSignal;
  /** Receives errors while the rack is open. Failed connections are retried. */
  onTrouble?(error: Error): void;
  /** A host failed, which may have taken ten seconds, and the next one is tried. */
  onNextWay?(error: Error): void;
}

export interface MachineTarget {
  name: string;
  /** Address as reached from the jumphost; default: its name. */
  address?: string;
  user?: string;
  /** The jumphost itself, under its name in rack.yaml. */
  isJumphost?: true;
}

interface MachineCommand {
  /** Command for its shell; default: an interactive shell. */
  command?: string;
  /** ssh may ask for a passphrase or a host key, and the command has a terminal. */
  hasTerminal: boolean;
}
