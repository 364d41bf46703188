/** A cluster by its name in the list of racks: its server, and ssh to its nodes through the server. */

import { openComputers } from '@skolo/fleet';
import { nodesOn } from '@skolo/setup/cluster';
import { type Host, openHost } from '@skolo/setup/engine';
import type { ClusterNode } from '@skolo/setup/k3s';
import type { SkoloCommand } from '../../../command.ts';
import { computerOptions, openJumphostHost } from '../../../reach/machine-way.ts';
import { rackNamed, withJumphost } from '../../../reach/racks.ts';

export interface OpenCluster {
  /** In the list of racks. */
  name: string;
  server: Host & { name: string };
  nodes(): Promise<ClusterNode[]>;
  /** A node, as root, by its address in the cluster. @throws ComputerError @throws FleetError */
  open(node: Pick<ClusterNode, 'name' | 'address'>): Promise<Host>;
}

/** @param what for the server's log; undefined: nothing changes */
export async function openCluster(
  command: SkoloCommand,
  name: string,
  task: { what: string | undefined; signal: AbortSignal },
): Promise<OpenCluster> {
  const { io } = command;
  const rack = withJumphost(await rackNamed(command, name));
  const { jumphost, host: server } = await openJumphostHost(command, rack, {
    ...task,
    name: rack.jumphost,
  });
  const computers = await openComputers({ env: io.env, jumphost });
  command.atEnd(() => computers.close());
  const [{ user } = {}] = rack.ways;
  return {
    name,
    server,
    nodes: () => nodesOn(server),
    open(node) {
      if (node.name === rack.jumphost) return Promise.resolve(server);
      const target = {
        name: node.name,
        ...(node.address !== undefined && { address: node.address }),
        ...(user !== undefined && { user }),
      };
      return openHost(computerOptions(computers, target, task.signal));
    },
  };
}
