/** Nodes of a cluster, as its API server knows them. */
import type { Host } from '@skolo/computers';
import { z } from 'zod';
import { type Kubectl, kubectlOn } from './kubectl.ts';

const Nodes = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        labels: z.record(z.string(), z.string()).default({}),
      }),
      spec: z.object({ unschedulable: z.boolean().default(false) }),
      status: z.object({
        nodeInfo: z.object({ kubeletVersion: z.string(), architecture: z.string() }),
        addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
        conditions: z
          .array(
            z.object({
              type: z.string(),
              status: z.string(),
              message: z.string().default(''),
            }),
          )
          .default([]),
      }),
    }),
  ),
});

export interface NodeState {
  name: string;
  /** In the network of the nodes. */
  address: string | undefined;
  /** Of the kubelet. */
  version: string;
  /** As Go names it: `arm`. */
  architecture: string;
  isReady: boolean;
  /** Why it is not ready, and what else it complains of. */
  complaints: string[];
  isServer: boolean;
}

export async function nodesOf(kubectl: Kubectl): Promise<NodeState[]> {
  const { items } = await kubectl.get(Nodes, ['nodes']);
  return items.map(({ metadata, spec, status }) => {
    const { conditions, nodeInfo } = status;
    const ready = conditions.find(({ type }) => type === 'Ready');
    const isReady = ready?.status === 'True';
    const pressures = conditions.filter(
      ({ type, status }) => type !== 'Ready' && status === 'True',
    );
    return {
      name: metadata.name,
      address: status.addresses.find(({ type }) => type === 'InternalIP')?.address,
      version: nodeInfo.kubeletVersion,
      architecture: nodeInfo.architecture,
      isReady,
      complaints: [
        ...(isReady ? [] : [ready?.message || 'no kubelet has reported']),
        ...pressures.map(({ type, message }) => `${type}: ${message}`),
        ...(spec.unschedulable ? ['is cordoned: kubectl uncordon'] : []),
      ],
      isServer: Object.keys(metadata.labels).some((label) =>
        /^node-role\.kubernetes\.io\/(control-plane|master)$/.test(label),
      ),
    };
  });
}

/** @param server of the cluster @throws JumphostError The API server does not answer. */
export function nodesOn(server: Host): Promise<NodeState[]> {
  return nodesOf(kubectlOn(server));
}
