/** Nodes of a k3s or kubeadm cluster. */

import type { Host } from '@skolo/setup/engine';
import { type ClusterNode, parseNodes } from '@skolo/setup/k3s';
import { type Kubectl, kubectlOn } from './kubectl.ts';

export async function nodesOf(kubectl: Kubectl): Promise<ClusterNode[]> {
  return parseNodes(await kubectl.run(['get', 'nodes', '-o', 'json']));
}

/** @param server of the cluster @throws ComputerError The API server does not respond. */
export function nodesOn(server: Host): Promise<ClusterNode[]> {
  return nodesOf(kubectlOn(server));
}
