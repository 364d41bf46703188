/** Nodes of a cluster, as its API server knows them. */

import type { Host } from '@skolo/computers';
import { z } from 'zod';

export interface ClusterNode {
  name: string;
  /** Of k3s there: `v1.32.5+k3s1`. */
  version: string;
  isReady: boolean;
  /** `skolo/machine=true:NoSchedule` */
  taints: string[];
}

const Node = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    taints: z
      .array(z.object({ key: z.string(), value: z.string().default(''), effect: z.string() }))
      .default([]),
  }),
  status: z.object({
    nodeInfo: z.object({ kubeletVersion: z.string() }),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
  }),
});
const Nodes = z.object({ items: z.array(Node) });

/** @param json of one node */
export function parseNode(json: string): ClusterNode {
  return nodeOf(Node.parse(JSON.parse(json)));
}

/** @throws JumphostError The API server does not answer. */
export async function readNodes(jumphost: Pick<Host, 'need'>): Promise<ClusterNode[]> {
  const json = await jumphost.need('k3s kubectl get nodes -o json');
  return Nodes.parse(JSON.parse(json)).items.map(nodeOf);
}

function nodeOf({ metadata: { name }, spec, status }: z.infer<typeof Node>): ClusterNode {
  return {
    name,
    version: status.nodeInfo.kubeletVersion,
    isReady: status.conditions.some((each) => each.type === 'Ready' && each.status === 'True'),
    taints: spec.taints.map(({ key, value, effect }) => `${key}=${value}:${effect}`),
  };
}
