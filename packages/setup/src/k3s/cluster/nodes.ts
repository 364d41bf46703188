/** Nodes of a cluster, from its API server. */
import type { Host } from '@skolo/setup/engine';
import { z } from 'zod';

export interface ClusterNode {
  name: string;
  /** Version of its kubelet: `v1.32.5+k3s1`. */
  version: string;
  /** Go's name of it: `arm`. */
  architecture: string;
  /** In the nodes' network. */
  address: string | undefined;
  isServer: boolean;
  isReady: boolean;
  /** Why it is not ready, and its other problems. */
  complaints: string[];
  /** `skolo/machine=true:NoSchedule` */
  taints: string[];
}

const Condition = z.object({
  type: z.string(),
  status: z.string(),
  message: z.string().default(''),
});
const Node = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({
    unschedulable: z.boolean().default(false),
    taints: z
      .array(z.object({ key: z.string(), value: z.string().default(''), effect: z.string() }))
      .default([]),
  }),
  status: z.object({
    nodeInfo: z.object({ kubeletVersion: z.string(), architecture: z.string() }),
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
    conditions: z.array(Condition).default([]),
  }),
});
const Nodes = z.object({ items: z.array(Node) });

/** @param json of one node */
export function parseNode(json: string): ClusterNode {
  return nodeOf(Node.parse(JSON.parse(json)));
}

/** @param json a list of nodes */
export function parseNodes(json: string): ClusterNode[] {
  return Nodes.parse(JSON.parse(json)).items.map(nodeOf);
}

/** @throws ComputerError The API server does not respond. */
export async function readNodes(jumphost: Pick<Host, 'need'>): Promise<ClusterNode[]> {
  return parseNodes(await jumphost.need('k3s kubectl get nodes -o json'));
}

function nodeOf({ metadata, spec, status }: z.infer<typeof Node>): ClusterNode {
  const { conditions, nodeInfo } = status;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const isReady = ready?.status === 'True';
  const pressures = conditions.filter(({ type, status }) => type !== 'Ready' && status === 'True');
  return {
    name: metadata.name,
    version: nodeInfo.kubeletVersion,
    architecture: nodeInfo.architecture,
    address: status.addresses.find(({ type }) => type === 'InternalIP')?.address,
    isServer: Object.keys(metadata.labels).some((label) =>
      /^node-role\.kubernetes\.io\/(control-plane|master)$/.test(label),
    ),
    isReady,
    complaints: [
      ...(isReady ? [] : [ready?.message || 'the kubelet does not report its status']),
      ...pressures.map(({ type, message }) => `${type}: ${message}`),
      ...(spec.unschedulable ? [`cordoned; run kubectl uncordon ${metadata.name}`] : []),
    ],
    taints: spec.taints.map(({ key, value, effect }) => `${key}=${value}:${effect}`),
  };
}
