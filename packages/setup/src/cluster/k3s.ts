/** A k3s cluster: the steps in packages/setup/src/k3s, for a server that is not a jumphost. */

import type { Host, Step } from '@skolo/setup/engine';
import {
  accountsStep,
  agentSteps,
  agentSystemStep,
  clusterOn,
  endUnit,
  imageStoreStep,
  imagesStep,
  installBinary,
  installedVersion,
  k3sConfigStep,
  k3sStep,
  type Role,
  unitFile,
} from '@skolo/setup/k3s';
import { swapStep } from '@skolo/setup/pi';
import {
  type Distribution,
  endNetwork,
  type PlanDeps,
  type Programs,
  placeOf,
} from './distribution.ts';

export const k3s: Distribution = {
  name: 'k3s',
  installedVersion,
  deploySteps,
  clusterOn,
  uninstall,
  serverSteps: ({ server, version }, { download, accounts }) => [
    k3sConfigStep(server),
    imageStoreStep('server'),
    k3sStep({ version, download }),
    accountsStep(accounts),
  ],
  joinSteps: ({ server: { address } }, machine, server, { download, now, readyMs }) =>
    agentSteps({
      machine,
      server: address,
      cluster: clusterOn(server),
      download,
      now,
      taint: null,
      ...(readyMs !== undefined && { readyMs }),
    }),
};

/** The order is that of `skolo pi kubernetes deploy`. */
function deploySteps(
  { version, airGap }: Programs,
  { download, now }: Pick<PlanDeps, 'download' | 'now'>,
): Step[] {
  const k3s = { version, download };
  return [
    agentSystemStep(now),
    swapStep(),
    programStep(k3s),
    ...(airGap === undefined ? [] : [imagesStep(k3s, { own: airGap.own, rack: 'own' })]),
  ];
}

/** The program for the computer's userland, not its kernel, because a 64-bit kernel may run 32-bit programs. */
function programStep(k3s: Pick<Programs, 'version'> & Pick<PlanDeps, 'download'>): Step {
  const { version } = k3s;
  return {
    name: 'program',
    about: `the k3s binary is installed (${version}, unless another version is in use)`,
    async check(host) {
      const installed = await installedVersion(host);
      if (installed === undefined) return { differs: ['/usr/local/bin/k3s is missing'] };
      if (installed === version) return { differs: [], note: installed };
      return (await placeOf(host)) === undefined
        ? { differs: [`/usr/local/bin/k3s is ${installed}`] }
        : { differs: [], note: `${installed}, kept because the computer is part of a cluster` };
    },
    apply: (host) => installBinary(host, k3s),
  };
}

const data = '/var/lib/rancher/k3s';

async function uninstall(host: Host, role: Role, keepsData: boolean): Promise<void> {
  const lost = keepsData
    ? `rm -rf ${data}/agent ${data}/data ${role === 'server' ? '' : `${data}/server /etc/rancher`}`
    : `rm -rf ${data} /etc/rancher; rmdir /var/lib/rancher 2>/dev/null`;
  await host.need(
    `${endUnit(role)}
rm -f ${(['server', 'agent'] as const).map((each) => `${unitFile(each)} ${unitFile(each)}.env`).join(' ')}
for each in kubectl crictl ctr; do
  case $(readlink "/usr/local/bin/$each") in k3s) rm -f "/usr/local/bin/$each" ;; esac
done
rm -f /usr/local/bin/k3s
${lost}
rm -rf /var/lib/kubelet
${endNetwork}
systemctl daemon-reload`,
    { deadlineMs: 300_000 },
  );
}
