/** Runs `kubeadm init` and `kubeadm join`, which cannot be resumed when interrupted. */
import { script, withArguments } from '@skolo/base';
import type { Host } from '@skolo/setup/engine';

/** Exists while one of them is running and its results are incomplete. */
const unfinished = '/etc/kubernetes/skolo-unfinished';
/** In memory, because it may contain a token. */
const configFile = '/run/skolo-kubeadm.yaml';
/** Images are pulled. */
const deadlineMs = 1_800_000;
const resetFunction = `reset_kubeadm() {
  kubeadm reset -f > /run/skolo-kubeadm.log 2>&1 < /dev/null || { tail -n 3 /run/skolo-kubeadm.log >&2; return 1; }
}
`;

/** A script that prints why it has not been run or has not finished. @param made the last file that it creates */
export function unfinishedScript(made: string): string {
  return `[ ! -e ${unfinished} ] || echo 'kubeadm was interrupted'
[ -e ${made} ] || echo '${made} is missing'`;
}

/**
 * Runs it, once at a time. It continues if the connection drops, and a second one waits for it. Partial results of an earlier run
 * are removed first.
 *
 * @param made a file that exists when it has finished
 */
export async function runKubeadm(
  host: Host,
  {
    command,
    made,
    configuration,
  }: { command: readonly string[]; made: string; configuration: string },
): Promise<void> {
  await host.write({ path: configFile, content: configuration, mode: 0o600 });
  const words = [unfinished, made, configFile, ...command];
  const run = withArguments(script(new URL('./run-kubeadm.sh', import.meta.url)), ...words);
  await host.need(`${resetFunction}${run}`, { deadlineMs });
}

/** Stops everything that runs on it, and removes the cluster's data. Programs stay. */
export async function leaveCluster(host: Host): Promise<void> {
  await host.need(
    `${resetFunction}reset_kubeadm || exit 1
rm -rf /etc/cni/net.d/10-flannel.conflist /run/flannel /etc/kubernetes/pki`,
    { deadlineMs: 300_000 },
  );
}
