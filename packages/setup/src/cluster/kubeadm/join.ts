/** Joins a computer to a kubeadm cluster. */

import { checkByScript, type Host, type Step } from '@skolo/setup/engine';
import { clusterNodeStep, oldClusterStep, oldNodeStep } from '@skolo/setup/k3s';
import type { ClusterPlan, Member, PlanDeps } from '../distribution.ts';
import { ClusterError } from '../errors.ts';
import { authorityFile, caHashOf, type KubeadmCluster, kubeadmOn } from './cluster.ts';
import { joinConfiguration } from './configuration.ts';
import { leaveCluster, runKubeadm, unfinishedScript } from './run-kubeadm.ts';

/** It identifies itself with it, no longer with a token. */
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
    oldClusterStep({ ...joining, authority: authorityFile, leave: leaveCluster }),
    oldNodeStep({
      name: member.name,
      cluster: joining.cluster,
      leave: 'skolo pi kubernetes reset --node',
      async conflict(host) {
        if ((await host.read(kubeletFile)) !== undefined) return undefined;
        const node = await joining.cluster.node(member.name);
        return node && `a node ${member.name}`;
      },
    }),
    joinStep(joining),
    clusterNodeStep({
      machine: member,
      cluster: joining.cluster,
      taint: null,
      ...(readyMs !== undefined && { readyMs }),
    }),
  ];
}

function joinStep({ member, cluster, server }: Joining): Step {
  const { name } = member;
  return {
    name: 'kubeadm-join',
    about: 'the kubelet has joined and is running',
    check: checkByScript(`${unfinishedScript(kubeletFile)}
systemctl is-active -q kubelet.service || echo 'kubelet is not running'`),
    async apply(host) {
      if ((await host.need(unfinishedScript(kubeletFile))) !== '') {
        const ca = await cluster.ca();
        if (ca === undefined) throw new ClusterError(`${authorityFile} is missing on the server`);
        const token = await cluster.newToken(`${name} joins`);
        await runKubeadm(host, {
          command: ['join'],
          made: kubeletFile,
          configuration: joinConfiguration(member, { server, token, caHash: caHashOf(ca) }),
        });
      }
      await host.need('systemctl start containerd.service kubelet.service');
    },
  };
}
