/** A computer joins a cluster of kubeadm. */
import { checkByScript, type Host, type Step } from '@skolo/computers';
import { formerClusterStep, nodeStep } from '@skolo/k3s';
import { ClusterError } from '../errors.ts';
import type { ClusterPlan, Member, PlanDeps } from '../plan.ts';
import { authorityFile, caHashOf, type KubeadmCluster, kubeadmOn } from './cluster.ts';
import { joinConfiguration } from './configuration.ts';
import { leaveCluster, runKubeadm, unfinishedScript } from './run-kubeadm.ts';

/** It proves with it, and no longer with a token, who it is. */
const kubeletFile = '/etc/kubernetes/kubelet.conf';

interface Joining {
  member: Member;
  cluster: KubeadmCluster;
  /** Address. */
  server: string;
}

export function joinSteps(
  { server: { address } }: ClusterPlan,
  member: Member,
  server: Promise<Host>,
  { readyMs }: PlanDeps,
): Step[] {
  const joining = { member, cluster: kubeadmOn(server), server: address };
  return [
    formerClusterStep({ ...joining, authority: authorityFile, leave: leaveCluster }),
    formerNodeStep(joining),
    joinStep(joining),
    nodeStep({
      machine: member,
      cluster: joining.cluster,
      taint: null,
      ...(readyMs !== undefined && { readyMs }),
    }),
  ];
}

/** A new card, or another computer, with the name of a node that is there. */
function formerNodeStep({ member: { name }, cluster }: Joining): Step {
  const found = async (host: Host) =>
    (await host.read(kubeletFile)) === undefined ? await cluster.node(name) : undefined;
  return {
    name: 'former-node',
    about: 'the cluster knows no other computer of this name',
    async check(host) {
      const node = await found(host);
      return { differs: node === undefined ? [] : [`the cluster has a node ${name}`] };
    },
    async apply(host) {
      if ((await found(host))?.isReady) {
        throw new ClusterError(
          `the node ${name} is alive, on another computer; give one of them another name, or take that one out with skolo pi kubernetes reset --node ${name}`,
        );
      }
      await cluster.forget(name);
    },
  };
}

function joinStep({ member, cluster, server }: Joining): Step {
  const { name } = member;
  return {
    name: 'kubeadm-join',
    about: 'its kubelet has joined, and runs',
    check: checkByScript(`${unfinishedScript(kubeletFile)}
systemctl is-active -q kubelet.service || echo 'kubelet does not run'`),
    async apply(host) {
      if ((await host.need(unfinishedScript(kubeletFile))) !== '') {
        const ca = await cluster.ca();
        if (ca === undefined) throw new ClusterError(`the server has no ${authorityFile}`);
        const token = await cluster.newToken(`${name} joins`);
        await runKubeadm(host, {
          command: 'join',
          made: kubeletFile,
          configuration: joinConfiguration(member, { server, token, caHash: caHashOf(ca) }),
        });
      }
      await host.need('systemctl start containerd.service kubelet.service');
    },
  };
}
