/**
 * Looks at every service each half minute, and carries out what follows: starts the unit of one that does not respond, stops it when k3s
 * can serve.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, lazily } from '@skolo/base';
import { type Rack, readRack } from '@skolo/rack';
import type { FailedOver } from '@skolo/rack/jumphost';
import { startExisting } from '../existing/existing.ts';
import { type ApiServer, openApiServer } from '../kubernetes/api-server.ts';
import { copyConfiguration } from '../kubernetes/configuration.ts';
import {
  type Kubernetes,
  noteFailedOver,
  readKubernetes,
  releasePublicPort,
  renewPods,
  restorePublicPort,
  scale,
} from '../kubernetes/kubernetes.ts';
import { endAbandonedPush } from '../push/abandoned.ts';
import type { Settings } from '../settings.ts';
import { endLeftBehind } from '../units/left-behind.ts';
import { renewMachines } from '../units/machines.ts';
import {
  allServices,
  type FallbackService,
  hasUnit,
  type PodService,
  programOf,
  rackFileOf,
  services,
} from '../units/services.ts';
import { changeUnit, unitState } from '../units/units.ts';
import { decide } from './decide.ts';
import {
  lastCopy,
  type Remembered,
  readFailedOver,
  recall,
  remember,
  rememberCopy,
} from './memory.ts';
import { askExisting, askReadiness, askService, type Probe } from './probes.ts';

export interface Context {
  settings: Settings;
  /** Seconds since boot. */
  uptime: () => number;
  /** Prints one line, for people and for the journal. */
  print: (text: string) => void;
  /** Opens the API server of k3s; its result serves the whole command. */
  open: () => Promise<ApiServer>;
}

/** The state of one service, before anything is done. */
export interface Found {
  service: PodService;
  /** Undefined where k3s was not asked. */
  kubernetes?: Kubernetes;
  /** Undefined where it does not respond, or was not asked. */
  api?: ApiServer;
  rack: Rack | undefined;
  probe: Probe;
  isUnitRunning: boolean;
  /** Why the unit could not start. */
  notInstalled: string | undefined;
  memory: Remembered;
}

/** `open` of a context: the first caller asks k3s, others get its answer. */
export function opener({ kubeconfig }: Settings): Context['open'] {
  return lazily(() => openApiServer(kubeconfig));
}

/** Looks at all services, and does what each needs. Returns false if one failed, which does not stop the others. */
export async function actOnAll(context: Context): Promise<boolean> {
  let isGood = true;
  for (const service of allServices) {
    try {
      const failedOver = await readFailedOver(service);
      if (failedOver !== undefined)
        await keepFailedOver(context, await find(context, service), failedOver);
      else if (hasUnit(service)) await actOn(context, service);
    } catch (error) {
      isGood = false;
      context.print(`${service.name}: ${errorText(error)}`);
    }
  }
  const api = await context.open().catch(() => undefined);
  if (api === undefined) return isGood;
  await endAbandonedPush(api, context).catch((error: unknown) => {
    isGood = false;
    context.print(errorText(error));
  });
  const last = await lastCopy();
  if (last === undefined || context.uptime() - last >= context.settings.syncSeconds) {
    await rememberCopy(context.uptime());
    await copyAll(api, context);
  }
  return isGood;
}

/** Of a service that nobody has failed over. */
async function actOn(context: Context, service: FallbackService): Promise<void> {
  const { settings, uptime } = context;
  const found = await find(context, service, 'if-needed');
  const { isUnitRunning, notInstalled, probe, memory: before } = found;
  const kubernetes = found.kubernetes ?? { state: 'silent', why: 'k3s was not queried' };
  const { isAnswering } = probe;
  const seen = { uptime: uptime(), isUnitRunning, isAnswering, notInstalled, kubernetes };
  const { act, why, memory } = decide(seen, before, settings);
  if (act === 'fallback') {
    context.print(`${service.name}: starting the unit, because ${why} (${probe.text})`);
    await remember(service, { ...memory, logged: `the unit is running as the fallback: ${why}` });
    if (found.api === undefined) await endWhatIsLeft(context, service);
    await releasePort(found);
    await changeUnit('start', service.unit);
  } else if (act === 'give-way') {
    context.print(`${service.name}: stopping the unit, because ${why}`);
    await giveWay(found);
    // Only now: after an interruption it gives way once more.
    await remember(service, { ...memory, logged: why });
  } else {
    if (memory.isActive) await releasePort(found);
    else if (!isUnitRunning && (await restorePort(found))) {
      context.print(`${service.name}: the Service is a LoadBalancer again`);
    }
    const logged = memory.isActive ? `${why}${await unitTrouble(found)}` : why;
    if (logged !== before.logged) context.print(`${service.name}: ${logged}`);
    await remember(service, { ...memory, logged });
  }
}

/** k3s is asked `if-needed`: not while it serves. */
export async function find(
  { open }: Pick<Context, 'open'>,
  service: PodService,
  ask: 'always' | 'if-needed' = 'always',
): Promise<Found> {
  const rack = await readRack(rackFileOf(service)).catch(() => undefined);
  const unitName = hasUnit(service) ? service.unit : undefined;
  const existing = (await readFailedOver(service))?.existing;
  const [unit, probe, memory, missing] = await Promise.all([
    unitName === undefined ? { isInstalled: false, isRunning: false } : unitState(unitName),
    existing === undefined ? askService(service, rack) : askExisting(service, rack),
    recall(service),
    [join('/opt/skolo', programOf(service)), rackFileOf(service)].find((file) => !existsSync(file)),
  ]);
  const absent =
    missing ?? (unit.isInstalled ? undefined : (unitName ?? 'a unit for this service'));
  const notInstalled = absent && `${absent} is missing`;
  const { isRunning: isUnitRunning } = unit;
  const isAsked = ask === 'always' || isUnitRunning || !probe.isAnswering;
  const k3s = isAsked ? await readKubernetes(open, service) : {};
  return { service, ...k3s, rack, probe, isUnitRunning, notInstalled, memory };
}

/** The unit ends, and a new pod starts: one that has crashed meanwhile would wait for up to five minutes. */
async function giveWay(found: Found): Promise<void> {
  const { service, api, kubernetes } = found;
  await restorePort(found);
  if (hasUnit(service)) await changeUnit('stop', service.unit);
  if (api !== undefined && kubernetes?.state === 'answers') {
    await renewPods(api, service, kubernetes.pod.names);
  }
}

export async function releasePort({ service, api, kubernetes }: Found): Promise<void> {
  const isTaken = kubernetes?.state === 'answers' && kubernetes.publicPort === 'load-balancer';
  if (isTaken && api !== undefined) await releasePublicPort(api, service);
}

/** True when the public port was released. */
export async function restorePort({ service, api, kubernetes }: Found): Promise<boolean> {
  const isReleased = kubernetes?.state === 'answers' && kubernetes.publicPort === 'released';
  if (!isReleased || api === undefined) return false;
  await restorePublicPort(api, service);
  return true;
}

/** Why the rack does not reach the unit that runs; empty where it does. */
async function unitTrouble({ service, probe, rack }: Found): Promise<string> {
  if (probe.isAnswering) return '';
  const own = await askReadiness(service, rack);
  if (!own.isAnswering) return `; but the unit is not ready: ${own.text}`;
  return `; but the service is not responding (${probe.text}); firewall rules left behind by k3s may be intercepting the port; run k3s-killall.sh to remove them`;
}

/**
 * While a service is failed over, its unit or those of an existing system run and k3s does not, also after an interrupted command
 * or a new `apply`.
 */
async function keepFailedOver(
  { print }: Context,
  found: Found,
  failedOver: FailedOver,
): Promise<void> {
  const { service, api, kubernetes, isUnitRunning } = found;
  if (api !== undefined && kubernetes?.state === 'answers') {
    await noteFailedOver(api, service, failedOverText(service, failedOver));
    if (kubernetes.deployment === 'asks') {
      print(`${service.name}: failed over, so skolo-fallback scales the Deployment to 0`);
      await scale(api, service, 0);
    }
    await releasePort(found);
  }
  if (failedOver.existing !== undefined) {
    if (isUnitRunning && hasUnit(service)) await changeUnit('stop', service.unit);
    if (await startExisting(service, failedOver.existing)) {
      print(
        `${service.name}: failed over, so skolo-fallback started ${failedOver.existing.join(', ')}`,
      );
    }
  } else if (!isUnitRunning && hasUnit(service)) {
    print(`${service.name}: failed over, so skolo-fallback starts the unit`);
    await changeUnit('start', service.unit);
  }
}

/** What serves in place of k3s, for people. */
export function failedOverText(service: PodService, { by, since, existing }: FailedOver): string {
  const who = existing?.join(', ') ?? (hasUnit(service) ? service.unit : 'nothing');
  return `failed over to ${who} by ${by} at ${since}`;
}

export async function endWhatIsLeft({ print }: Context, service: PodService): Promise<void> {
  const ended = await endLeftBehind(service);
  if (ended > 0) print(`${service.name}: stopped a container that k3s left behind`);
}

/** Copies the configuration of all services, and renews what follows from it. True when all of it is as k3s has it. */
export async function copyAll(api: ApiServer, { print }: Pick<Context, 'print'>): Promise<boolean> {
  let isGood = true;
  for (const service of services) {
    try {
      const isWritten = await copyConfiguration(api, service);
      if (isWritten) print(`${service.name}: configuration copied from k3s`);
    } catch (error) {
      isGood = false;
      print(`${service.name}: copying the configuration failed: ${errorText(error)}`);
    }
  }
  try {
    if (await renewMachines())
      print('firewall: updated the list of machines whose k3s agents may join');
  } catch (error) {
    isGood = false;
    print(`firewall: updating the list of machines failed: ${errorText(error)}`);
  }
  return isGood;
}
