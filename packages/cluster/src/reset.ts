/** A cluster is taken apart, or a node out of it. */
import { inParallel } from '@skolo/errors';
import { clusterOn, endUnit, type Host, type Role } from '@skolo/jumphost';
import { z } from 'zod';
import { kubectlOn } from './kubectl.ts';
import { nodesOf } from './nodes.ts';
import { reasonOf } from './reason.ts';

/** What a reset of a cluster ends. */
export interface Loss {
  nodes: { name: string; address: string | undefined; isReady: boolean }[];
  /** But those of the cluster itself. */
  pods: string[];
  /** Volumes on disks of nodes: `default/data (5Gi)`. */
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

/** @throws JumphostError The API server does not answer. */
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
      namespace === 'kube-system' || namespace === 'kube-flannel' ? [] : [`${namespace}/${name}`],
    ),
    volumes: volumes.items.flatMap(({ spec: { capacity, claimRef, nfs } }) =>
      nfs !== undefined || claimRef === undefined
        ? []
        : [`${claimRef.namespace}/${claimRef.name} (${capacity.storage})`],
    ),
  };
}

export interface ResetDeps {
  server: Host;
  /** As root. @throws The computer cannot be reached. */
  open(name: string): Promise<Host>;
  keepsData: boolean;
  /** The whole cluster ends, so pods need no other place. */
  isWhole: boolean;
  report(text: string): void;
  signal: AbortSignal;
}

export interface Removed {
  name: string;
  isGone: boolean;
  text: string;
}

/** Takes nodes out. One that does not answer, and is not ready, is only removed from the cluster. */
export async function removeNodes(names: readonly string[], deps: ResetDeps): Promise<Removed[]> {
  return await inParallel(names, deps.isWhole ? 8 : 1, async (name) => {
    try {
      return { name, ...(await removeNode(name, deps)) };
    } catch (error) {
      deps.signal.throwIfAborted();
      return { name, isGone: false, text: reasonOf(name, error) };
    }
  });
}

async function removeNode(name: string, deps: ResetDeps): Promise<Omit<Removed, 'name'>> {
  const { server, open, keepsData, isWhole, report } = deps;
  const cluster = clusterOn(server);
  const node = await cluster.node(name);
  const notes: string[] = [];
  if (node?.isReady && !isWhole) {
    report(`${name}: pods move to other nodes`);
    const drained = await kubectlOn(server).try(
      [
        ...['drain', name, '--ignore-daemonsets', '--delete-emptydir-data', '--force'],
        '--timeout=180s',
      ],
      { deadlineMs: 240_000 },
    );
    if (drained.code !== 0) notes.push(`pods were ended: ${drained.stderr.split('\n').at(-1)}`);
  }
  report(`${name}: uninstalling`);
  const why = await open(name)
    .then((host) => uninstall(host, 'agent', keepsData))
    .then(
      () => undefined,
      (error: unknown) => reasonOf(name, error),
    );
  if (why !== undefined && node?.isReady) {
    return {
      isGone: false,
      text: `the node is alive, and its computer was not reached (${why}); make it reachable, or turn it off`,
    };
  }
  // After its kubelet, which would register it again.
  await cluster.forget(name);
  if (why !== undefined) notes.push(`only the cluster was changed: ${why}`);
  return { isGone: true, text: notes.join('; ') };
}

const data = '/var/lib/rancher/k3s';

/**
 * Ends k3s, and removes it.
 *
 * @param keepsData volumes of pods stay, and on a server its database with its keys and settings: a later setup goes on with them
 */
export async function uninstall(host: Host, role: Role, keepsData: boolean): Promise<void> {
  const lost = keepsData
    ? `rm -rf ${data}/agent ${data}/data ${role === 'server' ? '' : `${data}/server /etc/rancher`}`
    : `rm -rf ${data} /etc/rancher; rmdir /var/lib/rancher 2>/dev/null`;
  await host.need(
    `${endUnit(role)}
rm -f /etc/systemd/system/k3s.service /etc/systemd/system/k3s-agent.service /etc/systemd/system/k3s.service.env /etc/systemd/system/k3s-agent.service.env
for each in kubectl crictl ctr; do
  case $(readlink "/usr/local/bin/$each") in k3s) rm -f "/usr/local/bin/$each" ;; esac
done
rm -f /usr/local/bin/k3s
${lost}
rm -rf /var/lib/kubelet
# As k3s-killall.sh: interfaces and rules of pods go on working without k3s.
for each in cni0 flannel.1 flannel-v6.1; do ip link delete "$each" 2>/dev/null; done
for each in iptables ip6tables; do
  if command -v "$each-save" > /dev/null; then "$each-save" | grep -vE 'KUBE-|CNI-|flannel' | "$each-restore"; fi
done
systemctl daemon-reload`,
    { deadlineMs: 300_000 },
  );
}
