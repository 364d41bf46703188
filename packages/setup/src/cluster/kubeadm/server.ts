/** The server of a kubeadm cluster. */

import { readFile } from 'node:fs/promises';
import { checkByScript, type Step } from '@skolo/setup/engine';
import { accountsStep, manifestsStep } from '@skolo/setup/k3s';
import { parseAllDocuments } from 'yaml';
import type { ClusterPlan, PlanDeps } from '../distribution.ts';
import { ClusterError } from '../errors.ts';
import { encryptionConfiguration, encryptionFile, initConfiguration } from './configuration.ts';
import { runKubeadm, unfinishedScript } from './run-kubeadm.ts';
import { flannelRelease, flannelVersion } from './versions.ts';

const adminFile = '/etc/kubernetes/admin.conf';
const kubectl = `kubectl --kubeconfig ${adminFile}`;
const ready = `timeout 10 ${kubectl} get --raw /readyz`;

export function serverSteps(
  { server, version }: ClusterPlan,
  { download, accounts }: PlanDeps,
): Step[] {
  return [
    serverStep({ server, version }),
    manifestsStep({
      name: 'network',
      about: `the pod network is flannel ${flannelVersion}`,
      kubectl,
      async manifests() {
        const { file } = await download(flannelRelease, 'kube-flannel.yml');
        return flannelOn(await readFile(file, 'utf8'));
      },
    }),
    accountsStep(accounts, kubectl),
  ];
}

function serverStep({ server, version }: Pick<ClusterPlan, 'server' | 'version'>): Step {
  return {
    name: 'kubeadm',
    about: `the cluster's server is running (${version} if newly installed)`,
    check: checkByScript(`${unfinishedScript(adminFile)}
[ ! -e ${adminFile} ] || why=$(${ready} 2>&1 > /dev/null) || echo "the API server is not ready: $(echo "$why" | tail -n 1)"`),
    async apply(host) {
      // Only for a new cluster, because existing data was encrypted with the existing key.
      const isMade = (await host.need(unfinishedScript(adminFile))) === '';
      if (!isMade) {
        const content = encryptionConfiguration();
        await host.write({ path: encryptionFile, content, mode: 0o600 });
        await runKubeadm(host, {
          command: ['init', '--skip-token-print'],
          made: adminFile,
          configuration: initConfiguration(server, version),
        });
      }
      await host.need(
        `systemctl start containerd.service kubelet.service
left=150; until ${ready} > /dev/null 2>&1; do
  left=$((left - 1)); [ "$left" -gt 0 ] || { echo 'the API server did not become ready in time; run journalctl -u kubelet on this machine to see why' >&2; exit 1; }
  sleep 2
done`,
        { deadlineMs: 2_000_000 },
      );
    },
  };
}

const firstContainer = ['spec', 'template', 'spec', 'containers', 0];

/**
 * flannel's manifest for computers with more than one network. By default, flannel uses the interface with the default route, which is
 * Wi-Fi on a master that routes for the others. Nodes reach each other at their own addresses.
 *
 * @throws ClusterError It is not a flannel manifest.
 */
export function flannelOn(manifest: string): string {
  const documents = parseAllDocuments(manifest);
  if (!Array.isArray(documents)) throw new ClusterError('the flannel manifest is empty');
  const daemons = documents.filter((each) => each.get('kind') === 'DaemonSet');
  for (const daemon of daemons) {
    daemon.addIn([...firstContainer, 'args'], '--iface=$(NODE_ADDRESS)');
    daemon.addIn(
      [...firstContainer, 'env'],
      daemon.createNode({
        name: 'NODE_ADDRESS',
        valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } },
      }),
    );
  }
  if (daemons.length !== 1)
    throw new ClusterError('the flannel manifest must contain exactly one DaemonSet');
  return documents.map(String).join('');
}
