/** Removes a cluster, or nodes from it. */
import { errorText, inParallel, withoutName } from '@skolo/base';
import type { Host } from '@skolo/setup/engine';
import { z } from 'zod';
import type { Distribution } from './distribution.ts';
import { kubectlOn, systemNamespaces } from './kubectl.ts';
import { nodesOf } from './nodes.ts';

/** What a cluster reset ends. */
export interface Loss {
  nodes: { name: string; address: string | undefined; isReady: boolean }[];
  /** Pods other than the cluster's own. */
  pods: string[];
  /** Volumes on nodes' disks: `default/data (5Gi)`. */
  volumes: string[];
}

const Pods = z.object({
  items: z.array(z.object({ metadata: z.object({ name: z.string(), namespace: z.string() }) })),
});
const Volumes = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        capacity: z.object({ storage: z.string() }),
        claimRef: z.object({ name: z.string(), namespace: z.string() }).optional(),
        nfs: z.unknown().optional(),
      }),
    }),
  ),
});

/** @throws ComputerError The API server does not respond. */
export async function lossOf(server: Host): Promise<Loss> {
  const kubectl = kubectlOn(server);
  const [nodes, pods, volumes] = await Promise.all([
    nodesOf(kubectl),
    kubectl.get(Pods, ['pods', '--all-namespaces']),
    kubectl.get(Volumes, ['persistentvolumes']),
  ]);
  return {
    nodes: nodes.map(({ name, address, isReady }) => ({ name, address, isReady })),
    pods: pods.items.flatMap(({ metadata: { namespace, name } }) =>
      systemNamespaces.has(namespace) ? [] : [`${namespace}/${name}`],
    ),
    volumes: volumes.items.flatMap(({ spec: { capacity, claimRef, nfs } }) =>
      nfs !== undefined || claimRef === undefined
        ? []
        : [`${claimRef.namespace}/${claimRef.name} (${capacity.storage})`],
    ),
  };
}

interface ResetDeps {
  server: Host;
  distribution: Distribution;
  /** As root. @throws The computer cannot be reached. */
  open(name: string): Promise<Host>;
  keepsData: boolean;
  /** The whole cluster ends, so pods are not moved. */
  isWhole: boolean;
  report(text: string): void;
  signal: AbortSignal;
}

export interface Removed {
  name: string;
  isGone: boolean;
  text: string;
}

/** Removes nodes. One that does not respond and is not ready is only removed from the cluster. */
export async function removeNodes(names: readonly string[], deps: ResetDeps): Promise<Removed[]> {
  return await inParallel(names, deps.isWhole ? 8 : 1, async (name) => {
    try {
      return { name, ...(await removeNode(name, deps)) };
    } catch (error) {
      deps.signal.throwIfAborted();
      return { name, isGone: false, text: withoutName(errorText(error), name) };
    }
  });
}

async function removeNode(name: string, deps: ResetDeps): Promise<Omit<Removed, 'name'>> {
  const { server, distribution, open, keepsData, isWhole, report } = deps;
  const cluster = distribution.clusterOn(server);
  const node = await cluster.node(name);
  const notes: string[] = [];
  if (node?.isReady && !isWhole) {
    report(`${name}: moving pods to other nodes`);
    const drained = await kubectlOn(server).try(
      [
        ...['drain', name, '--ignore-daemonsets', '--delete-emptydir-data', '--force'],
        '--timeout=180s',
      ],
      { deadlineMs: 240_000 },
    );
    if (drained.code !== 0)
      notes.push(`pods could not be moved and were stopped: ${drained.stderr.split('\n').at(-1)}`);
  }
  report(`${name}: uninstalling`);
  const why = await open(name)
    .then((host) => distribution.uninstall(host, 'agent', keepsData))
    .then(
      () => undefined,
      (error: unknown) => withoutName(errorText(error), name),
    );
  if (why !== undefined && node?.isReady) {
    return {
      isGone: false,
      text: `the node is still running, because it could not be uninstalled (${why}); fix this or turn off the computer, and run the command again`,
    };
  }
  // After its kubelet, which would register it again.
  await cluster.forget(name);
  if (why !== undefined)
    notes.push(`removed from the cluster, but its software was not uninstalled: ${why}`);
  return { isGone: true, text: notes.join('; ') };
}
