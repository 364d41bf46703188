/** Runs `kubeadm init` and `kubeadm join`, which cannot be resumed when interrupted. */
import type { Host } from '@skolo/setup/engine';

/** Exists while one of them is running and its results are incomplete. */
const unfinished = '/etc/kubernetes/skolo-unfinished';
/** In memory, because it may contain a token. */
const configFile = '/run/skolo-kubeadm.yaml';
/** Images are pulled. */
const deadlineMs = 1_800_000;
const resetScript = 'kubeadm reset -f > /run/skolo-kubeadm.log 2>&1 < /dev/null';

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
  { command, made, configuration }: { command: string; made: string; configuration: string },
): Promise<void> {
  await host.write({ path: configFile, content: configuration, mode: 0o600 });
  await host.need(
    `umask 022
exec 9> /run/skolo-kubeadm.lock
flock -w 1500 9 || { echo 'another kubeadm is still running; try again later' >&2; exit 1; }
trap 'rm -f ${configFile}' EXIT
(umask 077 && : > /run/skolo-kubeadm.log)
[ -e ${unfinished} ] || [ ! -e ${made} ] || exit 0
if [ -e ${unfinished} ]; then
  ${resetScript} || { tail -n 3 /run/skolo-kubeadm.log >&2; exit 1; }
fi
mkdir -p /etc/kubernetes && : > ${unfinished} && sync ${unfinished} /etc/kubernetes || exit 1
kubeadm ${command} --config ${configFile} > /run/skolo-kubeadm.log 2>&1 < /dev/null || {
  grep -iE 'error|timed out|not ' /run/skolo-kubeadm.log | tail -n 3 >&2
  echo 'kubeadm ${command.split(' ')[0]} failed; see /run/skolo-kubeadm.log on this computer' >&2; exit 1; }
# Synced to disk, because a marker that reappears after a power cut would reset a cluster that is in use.
rm -f ${unfinished} && sync /etc/kubernetes`,
    { deadlineMs },
  );
}

/** Stops everything that runs on it, and removes the cluster's data. Programs stay. */
export async function leaveCluster(host: Host): Promise<void> {
  await host.need(
    `${resetScript} || { tail -n 3 /run/skolo-kubeadm.log >&2; exit 1; }
rm -rf /etc/cni/net.d/10-flannel.conflist /run/flannel /etc/kubernetes/pki`,
    { deadlineMs: 300_000 },
  );
}
