/** Who serves, and why. */
import { stat } from 'node:fs/promises';
import type { HeldService } from '@skolo/rack/jumphost';
import { allServices, hasUnit, type PodService, rackFileOf } from '../units/services.ts';
import { type Context, type Found, find, holdText } from './look.ts';
import { readHold } from './memory.ts';

export async function statusText(context: Context): Promise<string> {
  const lines: string[] = [];
  for (const service of allServices) {
    const hold = await readHold(service);
    if (hold === undefined && !hasUnit(service)) continue;
    const found = await find(context, service);
    lines.push(
      `${service.name}`,
      `  serves         ${serving(found, hold)}`,
      `  because        ${because(found, hold)}`,
      `  k3s            ${kubernetesText(found)}`,
      `  configuration  ${await configurationText(service)}`,
    );
  }
  return lines.join('\n');
}

function serving({ service, isUnitRunning, probe }: Found, hold: HeldService | undefined): string {
  // A former power controller may have no port.
  if (hold?.former !== undefined) return `${hold.former.join(', ')}; ${probe.text}`;
  const who = isUnitRunning && hasUnit(service) ? service.unit : 'k3s';
  return probe.isAnswering ? `${who}: ${probe.text}` : `nothing: ${probe.text}`;
}

function because(found: Found, hold: HeldService | undefined): string {
  const { service, isUnitRunning, memory, notInstalled } = found;
  if (hold !== undefined) return holdText(service, hold);
  if (isUnitRunning && !memory.isStandingIn) return 'the unit was started by hand';
  const why = memory.logged || 'there was no look at it in this boot';
  const isKnown = notInstalled === undefined || memory.logged.includes(notInstalled);
  return isKnown ? why : `${why}; the unit could not stand in: ${notInstalled}`;
}

function kubernetesText({ kubernetes }: Found): string {
  if (kubernetes?.state !== 'answers') return kubernetes?.why ?? 'not asked';
  const { node, deployment, pod, publicPort } = kubernetes;
  if (!node.isReady) return node.why;
  if (deployment === 'missing') return 'it has no such Deployment';
  if (deployment === 'scaled-to-0') return 'its Deployment is scaled to 0';
  const states = { ready: 'its pod is ready', 'can-run': 'its pod can run', 'cannot-run': pod.why };
  const lent = publicPort === 'lent' ? '; its public port is lent to the unit' : '';
  return `${states[pod.state]}${lent}`;
}

async function configurationText(service: PodService): Promise<string> {
  const file = rackFileOf(service);
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? `there is no ${file}` : `${file} of ${found.mtime.toISOString()}`;
}
