/**
 * Joins a machine to its rack's cluster as a k3s agent, and decides what happens with an old node of its name (new SD card, replaced Pi).
 */

import { k3sTokenFile } from '@skolo/rack/secrets';
import { systemStep } from '@skolo/setup/debian';
import { ComputerError, type Download, type Host, type Step } from '@skolo/setup/engine';
import type { JoinCluster } from '../cluster/cluster.ts';
import { config, configStep } from '../program/config.ts';
import { imageStoreStep } from '../program/image-store-settings.ts';
import {
  binary,
  endUnit,
  installBinary,
  installedVersion,
  isFailing,
  lastErrors,
  startMs,
  unitDiffers,
  unitFile,
  writeUnit,
} from '../program/unit.ts';
import { type AgentNeeds, agentSettings, machineTaint } from './agent-files.ts';

interface JoinNeeds extends AgentNeeds {
  cluster: JoinCluster;
  download: Download;
  now(): number;
  /** Time for the node to become ready, including image pulls, in milliseconds; default 5 min. */
  readyMs?: number;
}

/** The machine identifies itself with it, no longer with a token. */
const certificate = '/var/lib/rancher/k3s/agent/client-kubelet.crt';
/** The CA of the servers that it has joined. Source: k3s, pkg/agent/config/config.go. */
const serverCa = '/var/lib/rancher/k3s/agent/server-ca.crt';
const password = '/etc/rancher/node/password';
const gib = 1024 ** 3;

/** All steps of a machine, in their order. */
export function joinSteps(needs: JoinNeeds): Step[] {
  return [agentSystemStep(needs.now), ...agentSteps(needs)];
}

/** k3s's requirements for a computer, as an agent or as a small server. */
export function agentSystemStep(now: () => number): Step {
  return systemStep({
    architectures: ['amd64', 'arm64', 'armhf'],
    // A 1 GB Pi has less, because its kernel and graphics reserve some of it.
    freeBytes: 3 * gib,
    memoryBytes: 0.7 * gib,
    hasUbuntu: true,
    now,
  });
}

/** Steps for a computer whose system has been checked. */
export function agentSteps(needs: JoinNeeds): Step[] {
  return [
    oldClusterStep({ cluster: needs.cluster, authority: serverCa, leave: removeAgent }),
    oldPasswordStep(needs),
    agentConfigStep(needs),
    imageStoreStep('agent'),
    agentStep(needs),
    clusterNodeStep(needs),
  ];
}

interface OldCluster {
  cluster: Pick<JoinCluster, 'ca'>;
  /** The CA file of the cluster that a computer has joined. */
  authority: string;
  leave(host: Host): Promise<void>;
}

/** A new cluster, for example after `skolo jumphost replace --new-cluster`, has a new CA, but its agents have the old one. */
export function oldClusterStep({ cluster, authority, leave }: OldCluster): Step {
  return {
    name: 'old-cluster',
    about: 'the computer does not belong to another cluster',
    async check(host) {
      const [known, present] = [await host.read(authority), await cluster.ca()];
      const isOther = known !== undefined && present !== undefined && known !== present;
      return {
        differs: isOther ? ['the computer still belongs to another cluster'] : [],
      };
    },
    apply: leave,
  };
}

interface OldNode {
  name: string;
  cluster: Pick<JoinCluster, 'node' | 'forget'>;
  /** The cluster's object with this name; undefined if this computer owns it or it does not exist. */
  conflict(host: Host): Promise<string | undefined>;
  /** The command that removes a node. */
  leave: string;
}

/** A new SD card or another computer with the name of an existing node. */
export function oldNodeStep({ name, cluster, conflict, leave }: OldNode): Step {
  return {
    name: 'old-node',
    about: 'no other computer uses this name in the cluster',
    async check(host) {
      const what = await conflict(host);
      return { differs: what === undefined ? [] : [`the cluster contains ${what}`] };
    },
    async apply() {
      if ((await cluster.node(name))?.isReady) {
        throw new ComputerError(
          `another computer is running as node ${name}; rename one of the computers, or remove the other computer with ${leave} ${name}`,
        );
      }
      await cluster.forget(name);
    },
  };
}

/** k3s identifies a computer by its node password. */
function oldPasswordStep({ machine: { name }, cluster }: JoinNeeds): Step {
  return oldNodeStep({
    name,
    cluster,
    leave: 'skolo machine leave',
    async conflict(host) {
      const isKnownHere = (await host.run(`[ -s ${password} ]`)).code === 0;
      if (isKnownHere || !(await cluster.hasPassword(name))) return undefined;
      return `node ${name} with a different password`;
    },
  });
}

function agentConfigStep(needs: JoinNeeds): Step {
  return configStep({
    about: 'server address and node name are set',
    role: 'agent',
    settings: async () => agentSettings(needs),
  });
}

function agentStep({ machine: { name }, cluster, download }: JoinNeeds): Step {
  return {
    name: 'k3s-agent',
    about: "the k3s agent is running (a new installation gets the server's version)",
    waitsFor: 'the k3s agent to join the server',
    async check(host) {
      const [version, wanted] = [await installedVersion(host), await cluster.version()];
      if (version === undefined) return { differs: [`${binary} is missing`] };
      const { code } = await host.run(`[ -s ${certificate} ]`);
      const differs = [
        ...(code === 0 ? [] : ['the agent has not joined the cluster yet']),
        ...(await unitDiffers(host, 'agent')),
      ];
      const note = version === wanted ? version : `${version}; the server runs ${wanted}`;
      return { differs, note };
    },
    async apply(host) {
      if ((await installedVersion(host)) === undefined) {
        await installBinary(host, { version: await cluster.version(), download });
      }
      const hasJoined = (await host.run(`[ -s ${certificate} ]`)).code === 0;
      if (!hasJoined) {
        await host.write({
          path: k3sTokenFile,
          content: `${await cluster.newToken('15m', `${name} joins`)}\n`,
          mode: 0o600,
        });
      }
      await writeUnit(host, 'agent');
      // With Type=exec, a running unit has not necessarily joined.
      await host.need(
        `systemctl restart k3s-agent.service
${isFailing('agent')}
left=60; until [ -s ${certificate} ] || [ "$left" = 0 ] || is_failing; do left=$((left - 1)); sleep 2; done
[ -s ${certificate} ] || {
  ${lastErrors('agent')}
  echo 'the agent did not join the cluster; run journalctl -u k3s-agent to see why' >&2; exit 1; }`,
        { deadlineMs: startMs },
      );
    },
  };
}

interface NodeNeeds extends Pick<JoinNeeds, 'machine' | 'taint' | 'readyMs'> {
  cluster: Pick<JoinCluster, 'node' | 'taint'>;
}

/** The node of a joined machine. */
export function clusterNodeStep({
  machine: { name },
  cluster,
  taint = machineTaint,
  readyMs = 300_000,
}: NodeNeeds): Step {
  const lacksTaint = (taints: readonly string[]) => taint !== null && !taints.includes(taint);
  const look = async () => {
    const node = await cluster.node(name);
    if (node === undefined) return [`the cluster does not contain node ${name}`];
    return [
      ...(node.isReady ? [] : [`node ${name} is not ready`]),
      ...(lacksTaint(node.taints) ? [`node ${name} does not have the taint ${taint}`] : []),
    ];
  };
  return {
    name: 'node',
    waitsFor: 'the kubelet to pull images',
    about: `the node is ready${taint === null ? '' : ' and has its taint'}`,
    check: async () => ({ differs: await look() }),
    async apply(host) {
      const end = performance.now() + readyMs;
      for (;;) {
        const node = await cluster.node(name);
        if (node && taint !== null && lacksTaint(node.taints)) await cluster.taint(name, taint);
        if (node?.isReady || performance.now() > end) return;
        await host.need('sleep 2');
      }
    },
  };
}

/** Stops the agent with all its pods, and removes the cluster's data. skolo's state stays. */
export async function removeAgent(host: Host): Promise<void> {
  await host.need(
    `${endUnit('agent')}
rm -rf ${config} ${k3sTokenFile} ${unitFile('agent')} ${unitFile('agent')}.env ${password} /var/lib/rancher/k3s/agent
systemctl daemon-reload`,
    { deadlineMs: 300_000 },
  );
}
