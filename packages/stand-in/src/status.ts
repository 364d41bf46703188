/** Who serves, and why. */
import { stat } from 'node:fs/promises';
import type { Found } from './look.ts';
import { type Context, find } from './look.ts';
import { type Hold, readHold } from './memory.ts';
import { rackFileOf } from './places.ts';
import { type StandInService, services } from './services.ts';

/** A line for each service, and one for k3s and the copied configuration of each. */
export async function statusText(context: Context): Promise<string> {
  const lines: string[] = [];
  for (const service of services) {
    const found = await find(context, service, 'always');
    const hold = await readHold(context.where, service);
    lines.push(
      `${service.name}`,
      `  serves         ${whoServes(service, found)}`,
      `  because        ${because(found, hold)}`,
      `  k3s            ${kubernetesText(found)}`,
      `  configuration  ${await configurationText(context, service)}`,
    );
  }
  return lines.join('\n');
}

function whoServes(service: StandInService, { isUnitRunning, probe }: Found): string {
  const who = isUnitRunning ? service.unit : 'k3s';
  return probe.isAnswering ? `${who}: ${probe.text}` : `nobody: ${probe.text}`;
}

function because({ isUnitRunning, memory, notInstalled }: Found, hold: Hold | undefined): string {
  if (hold !== undefined) return `${hold.by} has taken it at ${hold.since}`;
  if (isUnitRunning && !memory.isStandingIn) return 'the unit was started by hand';
  const isSaid = notInstalled === undefined || memory.said.includes(notInstalled);
  const readiness = isSaid ? '' : `; the unit could not stand in: ${notInstalled}`;
  return `${memory.said || 'it has not been looked at in this boot'}${readiness}`;
}

function kubernetesText({ kubernetes }: Found): string {
  if (kubernetes === undefined) return 'not asked';
  if (kubernetes.state !== 'answers') return kubernetes.why;
  const { node, deployment, pod, publicPort } = kubernetes;
  if (!node.isReady) return node.why;
  if (deployment === 'missing') return 'it has no such Deployment';
  if (deployment === 'scaled-to-0') return 'its Deployment is scaled to 0';
  const lent = publicPort === 'lent' ? '; its public port is lent to the unit' : '';
  if (pod.state === 'cannot-run') return `${pod.why}${lent}`;
  return `${pod.state === 'ready' ? 'its pod is ready' : 'its pod can run'}${lent}`;
}

async function configurationText({ where }: Context, service: StandInService): Promise<string> {
  const file = rackFileOf(where, service);
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? `there is no ${file}` : `${file} of ${found.mtime.toISOString()}`;
}
