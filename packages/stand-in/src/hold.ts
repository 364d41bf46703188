/** The commands of an operator: `take` a service from k3s, and `give` it back. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Kubernetes, noMemory } from './decide.ts';
import { lookAtKubernetes, scale } from './kubernetes.ts';
import { type Context, copyAll, endWhatIsLeft, find, lendIfHeld, takeBackIfLent } from './look.ts';
import { readHold, remember, removeHold, writeHold } from './memory.ts';
import { askReadiness, askService } from './probes.ts';
import { configurationOf, type StandInService } from './services.ts';
import { changeUnit } from './units.ts';

/** Until the unit is ready, with the end of the old pod and its own start. */
const takeSeconds = 60;

/**
 * From now on the unit serves, also after a reboot. True when it does.
 *
 * @param by name of the operator, for `status`
 */
export async function take(
  context: Context,
  service: StandInService,
  by: string,
): Promise<boolean> {
  const { print } = context;
  // The newest configuration. An old one is better than none.
  const api = await context.open().catch(() => undefined);
  if (api !== undefined) await copyAll(api, { print: () => undefined });
  const found = await find(context, service);
  if (found.notInstalled !== undefined) {
    print(`${service.name}: nothing is changed: ${found.notInstalled}`);
    return false;
  }

  await writeHold(service, { by, since: new Date().toISOString() });
  await remember(service, { ...noMemory, logged: 'held' });
  await changeUnit('enable', service.unit);
  if (found.api !== undefined && found.kubernetes?.state === 'answers') {
    if (found.kubernetes.deployment === 'asks') await scale(found.api, service, 0);
    await lendIfHeld(found);
  } else {
    print(
      `${service.name}: ${whyOf(found.kubernetes)}; its Deployment is scaled to 0 once it does`,
    );
    await endWhatIsLeft(context, service);
  }
  await changeUnit('start', service.unit);
  // Until the pod has ended, systemd starts the unit every five seconds.
  const isReady = await within(
    takeSeconds,
    async () => (await askReadiness(service, found.rack)).isAnswering,
  );
  print(
    isReady
      ? `${service.name}: ${service.unit} serves, and is held`
      : `${service.name}: held, but ${service.unit} is not ready: journalctl -u ${service.unit}`,
  );
  return isReady;
}

/** From now on k3s serves. True when it does; where its pod does not get ready, all stays as before. */
export async function give(context: Context, service: StandInService): Promise<boolean> {
  const { open, settings, print } = context;
  const hold = await readHold(service);
  const found = await find(context, service);
  const { api, kubernetes, rack, isUnitRunning } = found;
  const why = whyNotGiven(kubernetes);
  if (why !== undefined || api === undefined || kubernetes?.state !== 'answers') {
    print(`${service.name}: nothing is changed: ${why}`);
    return false;
  }

  await takeBackIfLent(found);
  if (isUnitRunning) await changeUnit('stop', service.unit);
  // From 0, so that a pod that has crashed meanwhile does not wait.
  if (kubernetes.deployment === 'asks') await scale(api, service, 0);
  await scale(api, service, 1);
  const isServing = await within(settings.handoverSeconds, async () => {
    const now = (await lookAtKubernetes(open, service)).kubernetes;
    const isReady = now.state === 'answers' && now.pod.state === 'ready';
    return isReady && (await askService(service, rack)).isAnswering;
  });
  if (!isServing) {
    const now = await find(context, service);
    print(
      `${service.name}: its pod does not serve (${whyOf(now.kubernetes)}); the unit is started again`,
    );
    if (hold !== undefined) await scale(api, service, 0);
    await lendIfHeld(now);
    if (isUnitRunning) await changeUnit('start', service.unit);
    return false;
  }
  await changeUnit('disable', service.unit);
  await removeHold(service);
  await remember(service, { ...noMemory, logged: 'k3s serves' });
  print(`${service.name}: k3s serves; configuration in ${configurationOf(service)} is kept`);
  return true;
}

function whyNotGiven(kubernetes: Kubernetes | undefined): string | undefined {
  if (kubernetes?.state !== 'answers') return whyOf(kubernetes);
  if (!kubernetes.node.isReady) return kubernetes.node.why;
  if (kubernetes.deployment !== 'missing') return undefined;
  return 'k3s has no such Deployment; skolo push --racks NAME';
}

function whyOf(kubernetes: Kubernetes | undefined): string {
  if (kubernetes?.state === 'answers') return kubernetes.pod.why || 'it does not get ready';
  return kubernetes?.why ?? 'k3s was not asked';
}

/** Asks until it is true, or the time is over. */
async function within(seconds: number, isTrue: () => Promise<boolean>): Promise<boolean> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    if (await isTrue()) return true;
    if (performance.now() >= until) return false;
    await pause(500);
  }
}
