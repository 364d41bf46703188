/** One look at every service, and what follows from it. The timer asks for it every half minute. */
import { access } from 'node:fs/promises';
import { errorText } from '@skolo/errors';
import { type Rack, readRack } from '@skolo/rack';
import type { ApiServer } from './api-server.ts';
import { openApiServer } from './api-server.ts';
import { type Decision, decide, type Kubernetes } from './decide.ts';
import {
  lendPublicPort,
  lookAtKubernetes,
  renewPods,
  scale,
  takePublicPortBack,
} from './kubernetes.ts';
import { endLeftBehind } from './left-behind.ts';
import { lastSync, noteSync, type Remembered, readHold, recall, remember } from './memory.ts';
import { type Places, programOf, rackFileOf } from './places.ts';
import { askReadiness, askService, type Probe } from './probes.ts';
import { type StandInService, services } from './services.ts';
import type { Settings } from './settings.ts';
import { syncService } from './sync.ts';
import { startUnit, stopUnit, unitState } from './units.ts';

export interface Context {
  settings: Settings;
  where: Places;
  /** Seconds since boot. */
  uptime: () => number;
  /** One line for people, and for the journal. */
  say: (text: string) => void;
}

type OpenApiServer = () => Promise<ApiServer>;

/** What is found of one service, before anything is done. */
export interface Found {
  kubernetes: Kubernetes | undefined;
  api: ApiServer | undefined;
  rack: Rack | undefined;
  probe: Probe;
  isUnitRunning: boolean;
  notInstalled: string | undefined;
  memory: Remembered;
}

/** Looks at all services; true when nothing went wrong with the looking itself. */
export async function lookAround(context: Context): Promise<boolean> {
  let isGood = true;
  let opened: Promise<ApiServer> | undefined;
  const open = () => {
    opened ??= openApiServer(context.settings.kubeconfig);
    return opened;
  };
  for (const service of services) {
    try {
      await lookAt(context, service, open);
    } catch (error) {
      // The other service is looked at all the same, and this one again in half a minute.
      isGood = false;
      context.say(`${service.name}: ${errorText(error)}`);
    }
  }
  await syncNowAndThen(context, open);
  return isGood;
}

async function lookAt(
  context: Context,
  service: StandInService,
  open: OpenApiServer,
): Promise<void> {
  const { settings, where, say } = context;
  const isHeld = (await readHold(where, service)) !== undefined;
  // Nothing is asked of k3s while it serves.
  const found = await find(context, service, isHeld ? 'always' : 'if-needed', open);
  if (isHeld) {
    await keepAway(found, service, say);
    return;
  }
  const decision = decide(
    {
      uptime: context.uptime(),
      isUnitRunning: found.isUnitRunning,
      isAnswering: found.probe.isAnswering,
      notInstalled: found.notInstalled,
      kubernetes: found.kubernetes ?? { state: 'silent', why: 'k3s was not asked' },
    },
    found.memory,
    settings,
  );
  await perform(context, service, found, decision);
}

/** What there is to know of a service. */
export async function find(
  { settings, where }: Context,
  service: StandInService,
  askKubernetes: 'always' | 'if-needed',
  open: OpenApiServer = () => openApiServer(settings.kubeconfig),
): Promise<Found> {
  const rack = await readRack(rackFileOf(where, service)).catch(() => undefined);
  const [unit, probe, memory, notInstalled] = await Promise.all([
    unitState(service.unit),
    askService(service, rack),
    recall(where, service),
    whyNotInstalled(where, service),
  ]);
  const isNeeded = askKubernetes === 'always' || unit.isRunning || !probe.isAnswering;
  const { kubernetes, api } = isNeeded
    ? await lookAtKubernetes(open, service)
    : { kubernetes: undefined, api: undefined };
  return { kubernetes, api, rack, probe, isUnitRunning: unit.isRunning, notInstalled, memory };
}

async function whyNotInstalled(
  where: Places,
  service: StandInService,
): Promise<string | undefined> {
  for (const file of [programOf(where, service), rackFileOf(where, service)]) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (!isThere) return `there is no ${file}`;
  }
  return (await unitState(service.unit)).isInstalled ? undefined : `there is no ${service.unit}`;
}

async function perform(
  context: Context,
  service: StandInService,
  found: Found,
  { act, why, memory }: Decision,
): Promise<void> {
  const { where, say } = context;
  const { api, kubernetes } = found;
  if (act === 'stand-in') {
    say(`${service.name}: stands in, ${found.probe.text}: ${why}`);
    await remember(where, service, { ...memory, said: `the unit stands in: ${why}` });
    if (api === undefined) await sayLeftBehind(where, service, say);
    await lendIfHeld(api, kubernetes, service);
    await startUnit(service.unit);
    return;
  }
  if (act === 'give-way') {
    say(`${service.name}: gives way, ${why}`);
    await giveWay(service, api, kubernetes);
    // Only now: who is interrupted in between gives way once more.
    await remember(where, service, { ...memory, said: why });
    return;
  }
  if (memory.isStandingIn) await lendIfHeld(api, kubernetes, service);
  const isLent = kubernetes?.state === 'answers' && kubernetes.publicPort === 'lent';
  if (!found.isUnitRunning && isLent && api !== undefined) {
    await takePublicPortBack(api, service);
    say(`${service.name}: its Service is a LoadBalancer again`);
  }
  const said = memory.isStandingIn ? await withUnitTrouble(service, found, why) : why;
  if (said !== found.memory.said) say(`${service.name}: ${said}`);
  await remember(where, service, { ...memory, said });
}

/** The unit ends, and a new pod starts: one that has crashed meanwhile would wait for up to five minutes. */
export async function giveWay(
  service: StandInService,
  api: ApiServer | undefined,
  kubernetes: Kubernetes | undefined,
): Promise<void> {
  const seen = kubernetes?.state === 'answers' ? kubernetes : undefined;
  if (seen?.publicPort === 'lent' && api !== undefined) await takePublicPortBack(api, service);
  await stopUnit(service.unit);
  if (seen !== undefined && api !== undefined) await renewPods(api, service, seen.pod.names);
}

export async function lendIfHeld(
  api: ApiServer | undefined,
  kubernetes: Kubernetes | undefined,
  service: StandInService,
): Promise<void> {
  const isHeld = kubernetes?.state === 'answers' && kubernetes.publicPort === 'held';
  if (isHeld && api !== undefined) await lendPublicPort(api, service);
}

/** The unit runs; does the rack reach it? */
async function withUnitTrouble(
  service: StandInService,
  { probe, rack }: Found,
  why: string,
): Promise<string> {
  if (probe.isAnswering) return why;
  const own = await askReadiness(service, rack);
  if (!own.isAnswering) return `${why}; but it is not ready: ${own.text}`;
  return `${why}; but ${probe.text}: rules that k3s has left behind catch the port; k3s-killall.sh removes them`;
}

/**
 * While a person holds a service, its unit serves, also when `take` or `give` was interrupted, and k3s does not run it,
 * whoever applies its manifests again.
 */
async function keepAway(found: Found, service: StandInService, say: Context['say']) {
  const { api, kubernetes, isUnitRunning } = found;
  if (!isUnitRunning) {
    say(`${service.name}: held, so its unit is started`);
    await startUnit(service.unit);
  }
  if (api === undefined || kubernetes?.state !== 'answers') return;
  if (kubernetes.deployment === 'asks') {
    say(`${service.name}: held, so its Deployment is scaled to 0`);
    await scale(api, service, 0);
  }
  await lendIfHeld(api, kubernetes, service);
}

export async function sayLeftBehind(
  where: Places,
  service: StandInService,
  say: Context['say'],
): Promise<void> {
  const ended = await endLeftBehind(where, service);
  if (ended > 0) say(`${service.name}: a container that k3s has left behind was ended`);
}

async function syncNowAndThen(context: Context, open: OpenApiServer): Promise<void> {
  const { settings, where, uptime, say } = context;
  const last = await lastSync(where);
  if (last !== undefined && uptime() - last < settings.syncSeconds) return;
  let api: ApiServer;
  try {
    api = await open();
  } catch {
    // What is on the disk stays; that k3s is silent is said where it matters.
    return;
  }
  await noteSync(where, uptime());
  await syncAll(api, where, say);
}

/** True when all configuration is as k3s has it. */
export async function syncAll(
  api: ApiServer,
  where: Places,
  say: Context['say'],
): Promise<boolean> {
  let isGood = true;
  for (const service of services) {
    const synced = await syncService(api, where, service);
    if (synced === 'written') say(`${service.name}: configuration copied from k3s`);
    if (typeof synced === 'object') {
      isGood = false;
      say(`${service.name}: configuration not copied: ${synced.problem}`);
    }
  }
  return isGood;
}
