/** `skolo-fallback status`: whether k3s or a unit serves, and why. */
import { stat } from 'node:fs/promises';
import type { FailedOver } from '@skolo/rack/jumphost';
import { servicePorts } from '@skolo/rack/light';
import { allServices, hasUnit, type PodService, programOf, rackFileOf } from '../units/services.ts';
import { type Context, type Found, failedOverText, find } from './look.ts';
import { readFailedOver } from './memory.ts';
import { portHolders } from './port-holders.ts';

export async function statusText(context: Context): Promise<string> {
  const lines: string[] = [];
  for (const service of allServices) {
    const failedOver = await readFailedOver(service);
    if (failedOver === undefined && !hasUnit(service)) continue;
    const found = await find(context, service);
    lines.push(
      `${service.name}`,
      `  serves         ${await serving(found, failedOver)}`,
      `  because        ${because(found, failedOver)}`,
      `  k3s            ${kubernetesText(found)}`,
      `  configuration  ${await configurationText(service)}`,
    );
  }
  return lines.join('\n');
}

async function serving(
  { service, isUnitRunning, probe }: Found,
  failedOver: FailedOver | undefined,
): Promise<string> {
  // An existing power controller may have no port.
  if (failedOver?.existing !== undefined) return `${failedOver.existing.join(', ')}; ${probe.text}`;
  const who = isUnitRunning && hasUnit(service) ? service.unit : 'k3s';
  if (probe.isAnswering) return `${who}: ${probe.text}`;
  const foreign = (await foreignHolders(service)).join(', ') || 'nothing';
  return `${foreign}: ${probe.text}`;
}

function because(found: Found, failedOver: FailedOver | undefined): string {
  const { service, isUnitRunning, memory, notInstalled } = found;
  if (failedOver !== undefined) return failedOverText(service, failedOver);
  if (isUnitRunning && !memory.isActive) return 'the unit was started manually';
  const why = memory.logged || 'not checked since boot';
  const isKnown = notInstalled === undefined || memory.logged.includes(notInstalled);
  return isKnown ? why : `${why}; the unit could not take over: ${notInstalled}`;
}

function kubernetesText({ kubernetes }: Found): string {
  if (kubernetes?.state !== 'answers') return kubernetes?.why ?? 'not queried';
  const { node, deployment, pod, publicPort } = kubernetes;
  if (!node.isReady) return node.why;
  if (deployment === 'missing') return 'no such Deployment';
  if (deployment === 'scaled-to-0') return 'the Deployment is scaled to 0';
  const states = {
    ready: 'the pod is ready',
    'can-run': 'the pod can start, but is not ready',
    'cannot-run': pod.why,
  };
  const before = publicPort === 'released' ? '; the public port is released for the unit' : '';
  return `${states[pod.state]}${before}`;
}

async function configurationText(service: PodService): Promise<string> {
  const file = rackFileOf(service);
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? `${file} is missing` : `${file} from ${found.mtime.toISOString()}`;
}

/** Other programs that listen on a service's ports, so that it cannot. */
async function foreignHolders(service: PodService): Promise<string[]> {
  const { port, metricsPort } = servicePorts[service.name];
  const isOwn = (cmdline: string) =>
    cmdline.split('\0').some((word) => word.endsWith(programOf(service)));
  const ports = [...new Set([port, metricsPort])];
  return (await Promise.all(ports.map((each) => portHolders(each, isOwn)))).flat();
}
