/** One machine gets another version of k3s, and returns by itself if its node does not get ready. */
import { setTimeout as pause } from 'node:timers/promises';
import { errorText } from '@skolo/base';
import { architectureOf, type Host, JumphostError, writeDiffering } from '@skolo/computers';
import { betweenTasks, tooLong } from '../agent/between-tasks.ts';
import { type ClusterNode, readNodes } from '../cluster/nodes.ts';
import {
  binary,
  binaryOf,
  installedVersion,
  lastErrors,
  releaseOf,
  startMs,
  units,
} from '../program/unit.ts';
import { agentCertificates, expiringScript } from '../server/certificates.ts';
import type { AgentMachine, AgentsNeeds } from './agents.ts';

/** The version before, until the new one has proven itself. */
const former = '/usr/local/bin/.k3s.skolo-former';
const next = '/usr/local/bin/.k3s.skolo-next';
const restart = `systemctl restart ${units.agent}`;

interface AgentUpgrade
  extends Pick<AgentsNeeds, 'version' | 'download' | 'url' | 'times' | 'report'> {
  jumphost: Host;
  node: ClusterNode;
  machine: AgentMachine;
  isExpiring: boolean;
  leave(name: string, why: string): void;
  signal: AbortSignal;
}

/** Whether an upgrade of it was cut off before it had proven itself. */
export async function isCutOff(machine: AgentMachine): Promise<boolean> {
  try {
    return (await (await machine.open()).run(`[ -e ${former} ]`)).code === 0;
  } catch {
    return false;
  }
}

/**
 * @param judge what is worse since the node is ready; empty: nothing
 * @returns whether it has changed; else it was left as it is
 * @throws JumphostError It is not well with the new version, and has the one before again.
 */
export async function upgradeAgent(
  given: AgentUpgrade,
  judge: () => Promise<string[]>,
): Promise<boolean> {
  const { node, machine, version, report, leave, signal } = given;
  const { name } = node;
  const staged = await stage(given).catch((error: unknown) => {
    signal.throwIfAborted();
    // The file of a publisher is the same for all machines.
    if (error instanceof JumphostError && error.code === 'FILE') throw error;
    leave(name, errorText(error));
    return undefined;
  });
  if (staged === undefined) return false;
  const { own, isThere } = staged;
  const isDone = await betweenTasks(name, machine, given, async () => {
    report(`${name}: starts ${version ?? 'again'}`);
    await own.need(isThere ? restart : `${switchScript}\n${restart}`, { deadlineMs: startMs });
    const why =
      (await whyNotReady(own, given, version ?? node.version)) ?? (await judge()).join(', ');
    if (why !== '') throw await goBack(own, given, why);
    await own.need(`rm -f ${former}`);
    return true;
  });
  if (!isDone) leave(name, tooLong(given.times));
  return isDone ?? false;
}

/** Brings the program there, beside the one that runs. */
async function stage({
  node,
  machine,
  version,
  download,
  url,
  report,
}: AgentUpgrade): Promise<{ own: Host; isThere: boolean }> {
  const own = await machine.open();
  if (version === undefined || (await installedVersion(own)) === version) {
    return { own, isThere: true };
  }
  report(`${node.name}: sends ${version}`);
  const architecture = await architectureOf(own);
  const release = releaseOf(architecture, { version, download, ...(url !== undefined && { url }) });
  const content = await download(release, binaryOf(architecture));
  await writeDiffering(own, [{ path: next, content, mode: 0o755 }]);
  return { own, isThere: false };
}

/** A former version that is there is of a run that was cut off: the one in place may be half proven. */
const switchScript = `set -e
[ -e ${former} ] || { cp -a ${binary} ${former}.new && sync ${former}.new && mv -f ${former}.new ${former}; }
mv -f ${next} ${binary}
sync /usr/local/bin`;

async function goBack(own: Host, given: AgentUpgrade, why: string): Promise<JumphostError> {
  const { node, report } = given;
  const { stderr: errors } = await own.run(lastErrors('agent'));
  const said = [why, ...errors.split('\n').filter(Boolean).slice(-1)].join(': ');
  const { code } = await own.run(`[ -e ${former} ]`);
  if (code !== 0) return new JumphostError(`${said}; the version before is not there`);
  report(`${node.name}: returns to ${node.version}: ${why}`);
  await own.need(`mv -f ${former} ${binary} && sync /usr/local/bin && ${restart}`, {
    deadlineMs: startMs,
  });
  const still = await whyNotReady(own, given, node.version);
  const end = still === undefined ? '' : `, and is not well with it: ${still}`;
  return new JumphostError(`${said}; it has the version before again${end}`);
}

async function whyNotReady(
  own: Host,
  { jumphost, node: { name }, isExpiring, times, signal }: AgentUpgrade,
  version: string,
): Promise<string | undefined> {
  const end = performance.now() + times.readyMs;
  for (;;) {
    const why = await look().catch(errorText);
    signal.throwIfAborted();
    if (why === undefined || performance.now() > end) return why;
    await pause(times.pollMs, undefined, { signal });
  }

  async function look(): Promise<string | undefined> {
    const node = (await readNodes(jumphost)).find((each) => each.name === name);
    if (!node?.isReady) return 'its node is not ready';
    if (node.version !== version) return `its node still has ${node.version}`;
    const soon = isExpiring ? await own.need(expiringScript(agentCertificates)) : '';
    return soon === '' ? undefined : soon.split('\n')[0];
  }
}
