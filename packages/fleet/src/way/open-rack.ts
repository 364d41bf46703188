/** A way to a rack for as long as somebody needs it: a kubeconfig that works, and all that is behind it. */
import type { ChildProcess } from 'node:child_process';
import type { Role } from '@skolo/rack';
import type { FleetRack } from '../racks/clusters.ts';
import { prepareGke } from './gke.ts';
import { type Kubectl, kubectlWith } from './kubectl.ts';
import { type Guardian, type StartOptions, startGuardian } from './local/guardian.ts';
import { type Jumphost, noJumphost } from './open-jumphost.ts';
import { openK3s } from './open-k3s.ts';

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

/**
 * Opens a rack.
 *
 * @example
 * const open = await openRack(findRack(fleet, 'rack4'), { role: 'view', env, mayAsk: false, signal });
 * try {
 *   await open.kubectl(['get', 'pods', '-A', '-o', 'json'], { signal });
 * } finally {
 *   await open.close();
 * }
 *
 * @throws FleetError The message says what to do.
 * @throws The signal's reason.
 */
export async function openRack(rack: FleetRack, options: OpenOptions): Promise<OpenRack> {
  const guardian = await startGuardian(options.env);
  try {
    options.signal.throwIfAborted();
    if (rack.type === 'k3s') {
      const { kubeconfig, ...others } = await openK3s(rack, guardian, options);
      return { ...common(rack, kubeconfig, guardian, options.env), ...others };
    }
    const { kubeconfig, env } = await prepareGke(rack, guardian, options);
    return {
      ...common(rack, kubeconfig, guardian, env),
      ...withoutJumphost(rack),
      close: guardian.close,
    };
  } catch (error) {
    await guardian.close();
    throw error;
  }
}

function common(rack: FleetRack, kubeconfig: string, guardian: Guardian, given: NodeJS.ProcessEnv) {
  const env = { ...given, KUBECONFIG: kubeconfig };
  const start = (program: string, args: readonly string[], options: StartOptions = {}) =>
    guardian.start(program, args, { env, ...options });
  return {
    rack,
    kubeconfig,
    env,
    folder: guardian.folder,
    // In a process group of its own.
    kubectl: kubectlWith((args) => start('kubectl', args, { detached: true })),
    spawn: start,
  };
}

function withoutJumphost(rack: FleetRack): Jumphost {
  const fail = () => Promise.reject(noJumphost(rack));
  return {
    fetch: fail,
    connect: fail,
    sshArguments: fail,
    datagrams: fail,
    onJumphost: fail,
    startOnJumphost: fail,
    startOnMachine: fail,
  };
}
