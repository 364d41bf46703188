/** A temporary connection to a rack: a kubeconfig and everything that it requires. */

import type { FleetRack } from '../racks/clusters.ts';
import { prepareGke } from './gke.ts';
import { kubectlWith } from './kubectl.ts';
import { type Guardian, type StartOptions, startGuardian } from './local/guardian.ts';
import { noJumphost } from './open-jumphost.ts';
import { openK3s } from './open-k3s.ts';
import type { Jumphost, OpenOptions, OpenRack } from './way.ts';

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
      const { jumphost, kubeconfig, close } = await openK3s(rack, guardian, options);
      return opened({ rack, guardian, kubeconfig, env: options.env, jumphost, close });
    }
    const { kubeconfig, env } = await prepareGke(rack, guardian, options);
    const jumphost = withoutJumphost(rack);
    return opened({ rack, guardian, kubeconfig, env, jumphost, close: guardian.close });
  } catch (error) {
    await guardian.close();
    throw error;
  }
}

interface Parts extends Pick<OpenRack, 'rack' | 'kubeconfig' | 'env' | 'close'> {
  guardian: Guardian;
  jumphost: Jumphost;
}

function opened({ rack, guardian, kubeconfig, env: given, jumphost, close }: Parts): OpenRack {
  const env = { ...given, KUBECONFIG: kubeconfig };
  const start = (program: string, args: readonly string[], options: StartOptions = {}) =>
    guardian.start(program, args, { env, ...options });
  return {
    ...jumphost,
    rack,
    kubeconfig,
    env,
    folder: guardian.folder,
    // In its own process group.
    kubectl: kubectlWith((args) => start('kubectl', args, { detached: true })),
    spawn: start,
    close,
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
