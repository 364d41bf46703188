import { count, errorText } from '@skolo/base';
import { removeRack } from '@skolo/fleet';
import {
  type Distribution,
  k3s,
  kubeadm,
  type Loss,
  lossOf,
  placeOf,
  type Removed,
  removeNodes,
} from '@skolo/setup/cluster';
import type { SkoloCommand } from '../../../command.ts';
import { CliError, complain } from '../../../errors.ts';
import { mustType } from '../../../must-type.ts';
import { expandedNames, folded } from '../../../names.ts';
import { plain } from '../../../output/text.ts';
import { clustersFile } from '../../../reach/racks.ts';
import { printNodes } from '../../machine/join.ts';
import { type OpenCluster, openCluster } from './open-cluster.ts';

interface Options {
  node?: string[];
  keepData?: boolean;
  yes?: true;
}

/** `skolo pi kubernetes reset`: dismantles a cluster, or removes a node from it. */
export function defineReset(command: SkoloCommand): void {
  command
    .description(
      'Removes a cluster: stops k3s or kubelet and all pods on every node, deletes programs, settings and data, and removes the cluster from kube/clusters/config.json. With --node, the command removes only these nodes, after moving their pods to other nodes. If a removed node is dead, a new SD card can join under its name. The command lists what will be lost, and asks for confirmation.',
    )
    .summary('remove a cluster, or nodes from it')
    .argument('<cluster>', 'cluster name, as listed by skolo racks')
    .option('--node <names...>', 'remove only these nodes')
    .option(
      '--keep-data',
      "keep pod volumes on the nodes' disks, and the database on the server's disk",
    )
    .option('--yes', 'do not ask for confirmation')
    .uses('clusters')
    .example('skolo pi kubernetes reset pis --node host07');

  command.interruptible(
    async (signal, name: string, { node, keepData: keepsData = false, yes }: Options) => {
      const { io } = command;
      const wanted = node === undefined ? undefined : [...new Set(expandedNames(node))];
      const what = `pi kubernetes reset ${[name, ...(wanted ?? [])].join(' ')}`;
      const cluster = await openCluster(command, name, { what, signal });
      const { server } = cluster;
      const distribution = (await placeOf(server))?.distribution === 'kubeadm' ? kubeadm : k3s;
      if (keepsData && distribution === kubeadm) {
        throw new CliError(
          `${name}: --keep-data is not supported for kubeadm clusters; save the data that you need, then omit this option`,
        );
      }
      const loss = await lossOf(server).catch((error: unknown): Loss => {
        if (wanted !== undefined) throw error;
        complain(io, unreachable(name, server.name, error));
        return { nodes: [], pods: [], volumes: [] };
      });
      const agents = agentsIn(loss, cluster, wanted);
      if (!yes) {
        io.err(plain(lossText(loss, { name, agents: wanted && agents, keepsData })));
        await mustType(io, { what: `${name} to confirm`, wanted: name, option: '--yes' }, signal);
      }
      const results = await removeNodes(agents, {
        server,
        distribution,
        signal,
        keepsData,
        isWhole: wanted === undefined,
        open: (each) =>
          cluster.open(
            loss.nodes.find((known) => known.name === each) ?? { name: each, address: undefined },
          ),
        report: (text) => io.err(plain(text)),
      });
      // Last, because no node can be removed from the cluster without it.
      if (wanted === undefined) {
        results.push(
          results.every(({ isGone }) => isGone)
            ? await resetServer(command, cluster, distribution, keepsData)
            : { name: server.name, isGone: false, text: 'kept until all other nodes are removed' },
        );
      }
      printNodes(
        io,
        results.map(({ isGone, ...each }) => ({ ...each, state: isGone ? 'left' : 'failed' })),
      );
    },
  );
}

function unreachable(cluster: string, server: string, error: unknown): string {
  return `${cluster}: the API server is not responding (${errorText(error)}), so only ${server} will be reset; agents on other nodes will not be removed`;
}

function agentsIn({ nodes }: Loss, { name, server }: OpenCluster, wanted: string[] | undefined) {
  const known = nodes.map((node) => node.name);
  if (wanted === undefined) return known.filter((each) => each !== server.name);
  if (wanted.includes(server.name)) {
    throw new CliError(
      `${server.name}: this is the server of ${name}; omit --node to reset the whole cluster`,
    );
  }
  const unknown = wanted.filter((each) => !known.includes(each));
  if (unknown.length > 0) {
    throw new CliError(
      `${folded(unknown)}: no such node in ${name}; its nodes are ${folded(known)}`,
    );
  }
  return wanted;
}

function lossText(
  { nodes, pods, volumes }: Loss,
  { name, agents, keepsData }: { name: string; agents: string[] | undefined; keepsData: boolean },
): string {
  const lines = [
    agents === undefined
      ? nodes.length === 0
        ? `${name}: this resets the cluster's server; skolo cannot list the pods and volumes that will be lost`
        : `${name}: the whole cluster will be removed, including ${count(nodes.length, 'node')} and ${count(pods.length, 'pod')} outside the system namespaces`
      : `${name}: ${folded(agents)} will be removed from the cluster`,
    ...(volumes.length > 0
      ? [
          `${keepsData ? "volumes kept on the nodes' disks" : 'volumes that will be lost if they are on the disks of the removed nodes'}: ${volumes.join(', ')}`,
        ]
      : []),
  ];
  return lines.join('\n');
}

async function resetServer(
  command: SkoloCommand,
  { name, server }: OpenCluster,
  distribution: Distribution,
  keepsData: boolean,
): Promise<Removed> {
  try {
    await distribution.uninstall(server, 'server', keepsData);
    const file = await clustersFile(command);
    await removeRack(file, name);
    return { name: server.name, isGone: true, text: `${name}: removed from ${file}` };
  } catch (error) {
    return { name: server.name, isGone: false, text: errorText(error) };
  }
}
