/** Upgrades k3s on one machine, and decides when it is rolled back: if its node does not become ready. */
import { errorText } from '@skolo/base';
import { architectureOf } from '@skolo/setup/debian';
import {
  ComputerError,
  type Download,
  type Host,
  waitUntil,
  writeDiffering,
} from '@skolo/setup/engine';
import {
  betweenTasks,
  type MachineTasks,
  type TaskTimes,
  tooLong,
} from '../agent/between-tasks.ts';
import { type ClusterNode, readNodes } from '../cluster/nodes.ts';
import {
  binary,
  installedVersion,
  k3sProgram,
  lastErrors,
  renewUnit,
  startMs,
  units,
} from '../program/unit.ts';
import { agentCertificates, expiringScript } from '../server/certificates.ts';

/** The previous version, until the new one has been verified. */
const old = '/usr/local/bin/.k3s.skolo-old';
const next = '/usr/local/bin/.k3s.skolo-next';
const restart = `systemctl restart ${units.agent}`;

/** A machine in rack.yaml, with the data for an upgrade. */
export interface AgentMachine extends MachineTasks {
  /** The machine, as root. @throws It cannot be reached. */
  open(): Promise<Host>;
}

export interface AgentTimes extends TaskTimes {
  /** Time for a node to become ready, in milliseconds. */
  readyMs: number;
}

interface AgentUpgrade {
  jumphost: Host;
  node: ClusterNode;
  machine: AgentMachine;
  isExpiring: boolean;
  /** Undefined: it is only restarted. */
  version: string | undefined;
  download: Download;
  times: AgentTimes;
  report(text: string): void;
  leave(name: string, why: string): void;
  signal: AbortSignal;
}

/** Whether an upgrade of it was interrupted before it was verified. */
export async function isCutOff(machine: AgentMachine): Promise<boolean> {
  try {
    return (await (await machine.open()).run(`[ -e ${old} ]`)).code === 0;
  } catch {
    return false;
  }
}

/**
 * @param judge what has become worse since the node is ready; empty: nothing
 * @returns whether it was changed
 * @throws ComputerError It was unhealthy with the new version, and was rolled back to the previous one.
 */
export async function upgradeAgent(
  given: AgentUpgrade,
  judge: () => Promise<string[]>,
): Promise<boolean> {
  const { node, machine, version, report, leave, signal } = given;
  const { name } = node;
  const staged = await stage(given).catch((error: unknown) => {
    signal.throwIfAborted();
    // The publisher's file is the same for all machines.
    if (error instanceof ComputerError && error.code === 'FILE') throw error;
    leave(name, errorText(error));
    return undefined;
  });
  if (staged === undefined) return false;
  const { own, isThere } = staged;
  const isDone = await betweenTasks(name, machine, given, async () => {
    report(`${name}: ${version === undefined ? 'restarting k3s' : `starting ${version}`}`);
    await own.need(isThere ? restart : `${switchScript}\n${restart}`, { deadlineMs: startMs });
    const why =
      (await whyNotReady(own, given, version ?? node.version)) ?? (await judge()).join(', ');
    if (why !== '') throw await goBack(own, given, why);
    await own.need(`rm -f ${old}`);
    return true;
  });
  if (!isDone) leave(name, tooLong(given.times));
  return isDone ?? false;
}

/** Copies the program to the machine, next to the running one. */
async function stage({
  node,
  machine,
  version,
  download,
  report,
}: AgentUpgrade): Promise<{ own: Host; isThere: boolean }> {
  const own = await machine.open();
  if (version === undefined || (await installedVersion(own)) === version) {
    return { own, isThere: true };
  }
  report(`${node.name}: copying ${version}`);
  const architecture = await architectureOf(own);
  const content = await k3sProgram(architecture, { version, download });
  await writeDiffering(own, [{ path: next, content, mode: 0o755 }]);
  await renewUnit(own, 'agent');
  return { own, isThere: false };
}

/** An existing old version is from an interrupted run, so the installed one may not be verified. */
const switchScript = `set -e
[ -e ${old} ] || { cp -a ${binary} ${old}.new && sync ${old}.new && mv -f ${old}.new ${old}; }
mv -f ${next} ${binary}
sync /usr/local/bin`;

async function goBack(own: Host, given: AgentUpgrade, why: string): Promise<ComputerError> {
  const { node, report } = given;
  const { stderr: errors } = await own.run(lastErrors('agent'));
  const said = [why, ...errors.split('\n').filter(Boolean).slice(-1)].join(': ');
  const { code } = await own.run(`[ -e ${old} ]`);
  if (code !== 0) return new ComputerError(`${said}; there is no previous version to roll back to`);
  report(`${node.name}: rolling back to ${node.version}: ${why}`);
  await own.need(`mv -f ${old} ${binary} && sync /usr/local/bin && ${restart}`, {
    deadlineMs: startMs,
  });
  const still = await whyNotReady(own, given, node.version);
  const end = still === undefined ? '' : `, but is not healthy: ${still}`;
  return new ComputerError(`${said}; the agent was rolled back to the previous version${end}`);
}

async function whyNotReady(
  own: Host,
  { jumphost, node: { name }, isExpiring, times, signal }: AgentUpgrade,
  version: string,
): Promise<string | undefined> {
  return await waitUntil(whyNotYet, { withinMs: times.readyMs, pollMs: times.pollMs, signal });

  async function whyNotYet(): Promise<string | undefined> {
    const node = (await readNodes(jumphost)).find((each) => each.name === name);
    if (!node?.isReady) return 'the node is not ready';
    if (node.version !== version) return `the node still runs ${node.version}`;
    const soon = isExpiring ? await own.need(expiringScript(agentCertificates)) : '';
    return soon === '' ? undefined : soon.split('\n')[0];
  }
}
