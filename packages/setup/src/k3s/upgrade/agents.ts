/** Upgrades k3s agents to their server's version, and decides their order and how many at a time, each between two tasks. */
import { count, errorText, inParallel } from '@skolo/base';
import { ComputerError, fewOf, type Host, type Step } from '@skolo/setup/engine';
import { type ClusterNode, readNodes } from '../cluster/nodes.ts';
import type { K3sOptions } from '../program/unit.ts';
import { agentCertificates, expiringScript, renewedBeforeDays } from '../server/certificates.ts';
import { type AgentMachine, type AgentTimes, isCutOff, upgradeAgent } from './agent.ts';
import { type HealthDeps, readHealth, untilAsWell } from './health.ts';

export interface AgentsNeeds extends Pick<K3sOptions, 'download'> {
  /** Absent: only certificates that expire soon are renewed. */
  version?: string;
  /** Name of the jumphost's node. */
  server: string;
  /** By the name of their node. */
  machines: ReadonlyMap<string, AgentMachine>;
  /** Maximum number at the same time, after a first one alone. */
  atOnce: number;
  times: AgentTimes;
  /** Checked after the first one. */
  health: HealthDeps;
  /** Prevents others from changing the rack meanwhile. */
  underLease(work: (signal: AbortSignal) => Promise<void>): Promise<void>;
  /** Called for each machine that should be changed but is left unchanged. */
  left(name: string, why: string): void;
  report(text: string): void;
}

interface Due {
  node: ClusterNode;
  machine: AgentMachine;
  /** It has the version, but its certificates expire soon. */
  isExpiring: boolean;
}

/** Machines that do not respond or run a long task are reported, and the others continue. */
export function agentsStep(needs: AgentsNeeds): Step {
  const { version, download, times, report } = needs;
  const left = new Map<string, string>();
  const leave = (name: string, why: string) => {
    left.set(name, why);
    needs.left(name, why);
  };
  return {
    name: 'k3s-agents',
    about:
      version === undefined
        ? `no machine certificate expires within ${renewedBeforeDays} days`
        : `machines run ${version}`,
    async check(jumphost) {
      const { due, all } = await findDue(jumphost, needs, left, leave);
      const note = [
        count(all, 'machine'),
        ...[...left].map(([name, why]) => `${name} skipped: ${why}`),
      ];
      return {
        differs: dueTexts(due, version),
        note: note.join('; '),
      };
    },
    async apply(jumphost) {
      await needs.underLease(async (signal) => {
        const { due } = await findDue(jumphost, needs, left, leave);
        if (due.length === 0) return;
        const before = await readHealth(jumphost, needs.health);
        const judge = () => untilAsWell(jumphost, before, needs.health);
        const failed: string[] = [];
        const change = async (
          { node, machine, isExpiring }: Due,
          isFirst: boolean,
        ): Promise<boolean> => {
          signal.throwIfAborted();
          try {
            return await upgradeAgent(
              {
                jumphost,
                node,
                machine,
                isExpiring,
                version,
                download,
                times,
                report,
                leave,
                signal,
              },
              isFirst ? judge : async () => [],
            );
          } catch (error) {
            signal.throwIfAborted();
            failed.push(`${node.name}: ${errorText(error)}`);
            return false;
          }
        };
        // One alone, not counting those that are left unchanged.
        const others = await idleFirst(due, needs);
        let isVerified = false;
        while (!isVerified && failed.length === 0) {
          const first = others.shift();
          if (first === undefined) break;
          isVerified = await change(first, others.length > 0);
        }
        await inParallel(others, needs.atOnce, async (each) => {
          // After a failure, no others start.
          if (failed.length === 0) await change(each, false);
        });
        if (failed.length > 0) {
          throw new ComputerError(
            `${failed.join('; ')}; the remaining machines were left unchanged`,
          );
        }
      });
    },
  };
}

function dueTexts(due: readonly Due[], version: string | undefined): string[] {
  const namesOf = (isSoon: boolean) =>
    due.flatMap(({ node, isExpiring }) => (isExpiring === isSoon ? [node.name] : []));
  const [older, expiring] = [namesOf(false), namesOf(true)];
  return [
    ...(older.length === 0 ? [] : [`${fewOf(older)}: ${version}`]),
    ...(expiring.length === 0 ? [] : [`${fewOf(expiring)}: certificates expire soon`]),
  ];
}

/** Nodes that require a change and can be changed. */
async function findDue(
  jumphost: Host,
  { version, server, machines, atOnce }: AgentsNeeds,
  left: ReadonlyMap<string, string>,
  leave: (name: string, why: string) => void,
): Promise<{ due: Due[]; all: number }> {
  const nodes = (await readNodes(jumphost)).filter(({ name }) => name !== server);
  const due = await inParallel(nodes, atOnce, async (node): Promise<Due[]> => {
    if (left.has(node.name)) return [];
    const machine = machines.get(node.name);
    const isOlder = version !== undefined && node.version !== version;
    if (!node.isReady) {
      if (isOlder && machine && (await isCutOff(machine))) {
        return [{ node, machine, isExpiring: false }];
      }
      if (isOlder) leave(node.name, `the node is not ready; it runs ${node.version}`);
      return [];
    }
    if (machine === undefined) {
      if (isOlder) leave(node.name, `not in rack.yaml, and runs ${node.version}`);
      return [];
    }
    if (isOlder) return [{ node, machine, isExpiring: false }];
    try {
      const soon = await (await machine.open()).need(expiringScript(agentCertificates));
      return soon === '' ? [] : [{ node, machine, isExpiring: true }];
    } catch (error) {
      leave(node.name, `cannot read when the certificates expire: ${errorText(error)}`);
      return [];
    }
  });
  return { due: due.flat(), all: nodes.length };
}

/** Machines with a task or job are last. */
async function idleFirst(due: readonly Due[], { atOnce }: AgentsNeeds): Promise<Due[]> {
  const busy = await inParallel(due, atOnce, ({ machine }) =>
    Promise.all([machine.readState(), machine.job()]).then(
      ([{ isRunning }, job]) => isRunning || job !== undefined,
      () => false,
    ),
  );
  return [...due.filter((_, at) => !busy[at]), ...due.filter((_, at) => busy[at])];
}
