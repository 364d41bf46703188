/** A kubeadm cluster: packages from Debian and pkgs.k8s.io, containerd, flannel. */

import { script, withArguments } from '@skolo/base';
import { aptFunction, installDeadlineMs } from '@skolo/setup/debian';
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
  const files = [...imageStoreFiles.map(({ path }) => path), ...Object.values(ownFiles)];
  const remove = withArguments(
    script(new URL('./uninstall.sh', import.meta.url)),
    held.join(' '),
    ...files,
  );
  await host.need(
    `${aptFunction}${remove}${endNetwork}
systemctl daemon-reload`,
    {
      deadlineMs: installDeadlineMs,
    },
  );
}
