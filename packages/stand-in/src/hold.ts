/** What a person decides: `take` a service from k3s, and `give` it back. */
import { setTimeout as pause } from 'node:timers/promises';
import { openApiServer } from './api-server.ts';
import { type Kubernetes, noMemory } from './decide.ts';
import { lookAtKubernetes, scale, takePublicPortBack } from './kubernetes.ts';
import { type Context, find, lendIfHeld, sayLeftBehind, syncAll } from './look.ts';
import { readHold, remember, removeHold, writeHold } from './memory.ts';
import { configurationOf } from './places.ts';
import { askReadiness, askService } from './probes.ts';
import type { StandInService } from './services.ts';
import { disableUnit, enableUnit, startUnit, stopUnit } from './units.ts';

/** How long the unit may take until it is ready, old pod and start-up included. */
const takeSeconds = 60;

/**
 * The unit serves from now on, also after a reboot, whatever k3s does. True when it does.
 *
 * @param by who wants it, for who asks later
 */
export async function take(
  context: Context,
  service: StandInService,
  by: string,
): Promise<boolean> {
  const { where, say } = context;
  let found = await find(context, service, 'always');
  if (found.api !== undefined) {
    // The newest configuration; an old one is better than none.
    await syncAll(found.api, where, () => {});
    found = await find(context, service, 'always');
  }
  if (found.notInstalled !== undefined) {
    say(`${service.name}: nothing is changed: ${found.notInstalled}`);
    return false;
  }

  await writeHold(where, service, { by, since: new Date().toISOString() });
  await remember(where, service, { ...noMemory, said: 'held' });
  await enableUnit(service.unit);
  if (found.api !== undefined && found.kubernetes?.state === 'answers') {
    if (found.kubernetes.deployment === 'asks') await scale(found.api, service, 0);
    await lendIfHeld(found.api, found.kubernetes, service);
  } else {
    say(`${service.name}: ${whyOf(found.kubernetes)}; its Deployment is scaled to 0 once it does`);
    await sayLeftBehind(where, service, say);
  }
  await startUnit(service.unit);
  // Until the pod has ended, the unit is started every five seconds.
  const isReady = await within(takeSeconds, async () => {
    return (await askReadiness(service, found.rack)).isAnswering;
  });
  say(
    isReady
      ? `${service.name}: ${service.unit} serves, and is held`
      : `${service.name}: held, but ${service.unit} is not ready: journalctl -u ${service.unit}`,
  );
  return isReady;
}

/** k3s serves from now on; true when it does. When its pod does not get ready, all is as before. */
export async function give(context: Context, service: StandInService): Promise<boolean> {
  const { where, settings, say } = context;
  const open = () => openApiServer(settings.kubeconfig);
  const hold = await readHold(where, service);
  const { api, kubernetes, rack, isUnitRunning } = await find(context, service, 'always');
  if (api === undefined || kubernetes?.state !== 'answers') {
    say(`${service.name}: nothing is changed: ${whyOf(kubernetes)}`);
    return false;
  }
  if (!kubernetes.node.isReady) {
    say(`${service.name}: nothing is changed: ${kubernetes.node.why}`);
    return false;
  }
  if (kubernetes.deployment === 'missing') {
    say(
      `${service.name}: nothing is changed: k3s has no such Deployment; kube/apply kube/racks/NAME`,
    );
    return false;
  }

  if (kubernetes.publicPort === 'lent') await takePublicPortBack(api, service);
  if (isUnitRunning) await stopUnit(service.unit);
  // From 0 anew, so that a pod that has crashed meanwhile does not wait.
  if (kubernetes.deployment === 'asks') await scale(api, service, 0);
  await scale(api, service, 1);
  const isServing = await within(settings.handoverSeconds, async () => {
    const now = (await lookAtKubernetes(open, service)).kubernetes;
    return (
      now.state === 'answers' &&
      now.pod.state === 'ready' &&
      (await askService(service, rack)).isAnswering
    );
  });
  if (!isServing) {
    const { kubernetes: now } = await lookAtKubernetes(open, service);
    say(`${service.name}: its pod does not serve (${whyOf(now)}); the unit is started again`);
    if (hold !== undefined) await scale(api, service, 0);
    await lendIfHeld(api, now, service);
    if (isUnitRunning) await startUnit(service.unit);
    return false;
  }
  await disableUnit(service.unit);
  await removeHold(where, service);
  await remember(where, service, { ...noMemory, said: 'k3s serves' });
  say(`${service.name}: k3s serves; configuration in ${configurationOf(where, service)} is kept`);
  return true;
}

function whyOf(kubernetes: Kubernetes | undefined): string {
  if (kubernetes?.state === 'answers') return kubernetes.pod.why || 'it does not get ready';
  return kubernetes?.why ?? 'k3s was not asked';
}

/** Asks again and again, until it is true or the time is over. */
async function within(seconds: number, isTrue: () => Promise<boolean>): Promise<boolean> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    if (await isTrue()) return true;
    if (performance.now() >= until) return false;
    await pause(500);
  }
}
