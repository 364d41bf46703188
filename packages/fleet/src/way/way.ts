/** The way to a rack, and to its jumphost alone, as those see it who use it. */
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Role } from '@skolo/rack';
import type { Ended, ProgramOptions } from '../program.ts';
import type { FleetRack } from '../racks/clusters.ts';
import type { Kubectl } from './kubectl.ts';
import type { StartOptions } from './local/guardian.ts';
import type { Open } from './ssh/tunnel-fetch.ts';

/** What can be done through a jumphost. */
export interface Jumphost {
  /** Requests to any address that the jumphost reaches. They are marked as forwarded. */
  fetch: typeof fetch;
  /** A connection to such an address, without a mark. */
  connect: Open;
  /** Arguments of a client of its connection of ssh. */
  sshArguments(signal: AbortSignal): Promise<string[]>;
  /** Datagrams of UDP to and from such an address, each with its length in front, in two bytes. */
  datagrams(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Runs a command for the shell of the jumphost. Its code is 255 also where ssh failed. */
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

/** What is done through the jumphost fails with a FleetError for gke. */
export interface OpenRack extends Jumphost {
  rack: FleetRack;
  /** A private folder (0700) that is removed at the end. */
  folder: string;
  /** Path of the kubeconfig. It works until `close`; the tunnel behind it is made again when it drops. */
  kubeconfig: string;
  /** The given environment and KUBECONFIG: for kubectl and other programs. */
  env: NodeJS.ProcessEnv;
  /** Runs kubectl and collects what it prints. Ctrl-C in the terminal does not reach it. */
  kubectl: Kubectl;
  /** Starts a program. It gets SIGHUP when this process dies or the rack is closed. */
  spawn(program: string, args: readonly string[], options?: StartOptions): ChildProcess;
  /** Ends the tunnel and what runs through it, and removes every file. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** What the token of the kubeconfig may do. gke has its own roles. */
  role: Role;
  /** Of this process: PATH, HOME, SSH_AUTH_SOCK, XDG_RUNTIME_DIR. */
  env: NodeJS.ProcessEnv;
  /** Whether ssh may ask for a passphrase or a host key. Needs a terminal. */
  mayAsk: boolean;
  /** Aborts the opening. An open rack is closed by `close`. */
  signal: AbortSignal;
  /** Gets what goes wrong while the rack is open. It is tried again. */
  onTrouble?(error: Error): void;
  /** A way failed, which may have taken ten seconds, and the next one is tried. */
  onNextWay?(error: Error): void;
}

export interface MachineTarget {
  name: string;
  /** As the jumphost reaches it; by its name without. */
  address?: string;
  user?: string;
  /** The jumphost itself, under its name in rack.yaml. */
  isJumphost?: true;
}

interface MachineCommand {
  /** For the shell there; without it, that shell itself. */
  command?: string;
  /** ssh may ask for a passphrase or a host key, and the command gets a terminal. */
  hasTerminal: boolean;
}
