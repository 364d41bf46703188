/** A kubeadm cluster: packages from Debian and pkgs.k8s.io, containerd, flannel. */

import { aptScript, installDeadlineMs } from '@skolo/setup/debian';
import type { Host } from '@skolo/setup/engine';
import type { Role } from '@skolo/setup/k3s';
import { type Distribution, endNetwork } from '../distribution.ts';
import { ClusterError } from '../errors.ts';
import { kubeadmOn } from './cluster.ts';
import { joinSteps } from './join.ts';
import { deploySteps, held, imageStoreFiles, installedVersion, ownFiles } from './programs.ts';
import { leaveCluster } from './run-kubeadm.ts';
import { serverSteps } from './server.ts';

export const kubeadm: Distribution = {
  name: 'kubeadm',
  installedVersion,
  deploySteps,
  serverSteps,
  joinSteps,
  uninstall,
  clusterOn: kubeadmOn,
};

/** containerd stays, because it may run other containers. */
async function uninstall(host: Host, _role: Role, keepsData: boolean): Promise<void> {
  if (keepsData) {
    throw new ClusterError(
      "kubeadm reset deletes the cluster's database; back up the data that you need, and omit --keep-data",
    );
  }
  const isThere = (await host.run('command -v kubeadm')).code === 0;
  if (isThere) await leaveCluster(host);
  await host.need(
    `systemctl disable --now kubelet.service 2>/dev/null
there=$(dpkg-query -W -f '\${Package} ' ${held.join(' ')} 2>/dev/null)
# apt fails for packages that it has never heard of, as after a reset that was cut off.
if [ -n "$there" ]; then
  apt-mark unhold $there > /dev/null 2>&1
  (${aptScript('purge $there')}) || exit 1
fi
rm -f ${imageStoreFiles.map(({ path }) => path).join(' ')}
rm -rf /etc/kubernetes /var/lib/kubelet /var/lib/etcd /var/lib/cni /opt/cni/bin ${Object.values(ownFiles).join(' ')}
${endNetwork}
systemctl daemon-reload`,
    { deadlineMs: installDeadlineMs },
  );
}
