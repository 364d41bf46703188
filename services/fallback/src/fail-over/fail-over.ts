/** Fails a service over to our unit or to units of an existing system, and back to k3s, and decides when that has failed and is undone. */
import { errorText, pause } from '@skolo/base';
import type { FailedOver } from '@skolo/rack/jumphost';
import {
  bindToFence,
  readLeftOff,
  startExisting,
  stopExisting,
  unknownUnits,
  unsteady,
} from '../existing/existing.ts';
import {
  type Kubernetes,
  noteFailedOver,
  readKubernetes,
  scale,
} from '../kubernetes/kubernetes.ts';
import { noMemory } from '../look/decide.ts';
import {
  type Context,
  copyAll,
  endWhatIsLeft,
  type Found,
  failedOverText,
  find,
  releasePort,
  restorePort,
} from '../look/look.ts';
import {
  readExisting,
  readFailedOver,
  remember,
  removeFailedOver,
  writeExisting,
  writeFailedOver,
} from '../look/memory.ts';
import { askExisting, askReadiness, askService } from '../look/probes.ts';
import { processesInPods } from '../units/left-behind.ts';
import {
  configurationOf,
  type FallbackService,
  hasUnit,
  type PodService,
} from '../units/services.ts';
import { changeUnit } from '../units/units.ts';
import { tryBeside } from './beside.ts';

/** Until the unit is ready, with the end of the old pod and its own start. */
const failOverSeconds = 60;

/**
 * From now on the unit serves, also after a reboot. True when it does.
 *
 * @param by name of the operator, for `status`
 */
export async function failOverToUnit(
  context: Context,
  service: FallbackService,
  by: string,
): Promise<boolean> {
  const { print } = context;
  // The newest configuration. An old one is better than none.
  const api = await context.open().catch(() => undefined);
  if (api !== undefined) await copyAll(api, { print: () => undefined });
  const found = await find(context, service);
  if (found.notInstalled !== undefined) {
    print(`${service.name}: nothing changed: ${found.notInstalled}`);
    return false;
  }

  const existing = (await readFailedOver(service))?.existing;
  if (existing !== undefined) {
    print(
      `${service.name}: nothing changed: already failed over to ${existing.join(', ')}; run skolo-fallback fail-back ${service.name} first`,
    );
    return false;
  }
  const failedOver = { by, since: new Date().toISOString() };
  await writeFailedOver(service, failedOver);
  await remember(service, { ...noMemory, logged: 'failed over' });
  await changeUnit('enable', service.unit);
  await stopInK3s(context, found, failedOver);
  await changeUnit('start', service.unit);
  // Until the pod has ended, systemd starts the unit every five seconds.
  const isReady = await within(
    failOverSeconds,
    async () => (await askReadiness(service, found.rack)).isAnswering,
  );
  print(
    isReady
      ? `${service.name}: failed over to ${service.unit}; this persists across reboots`
      : `${service.name}: failed over, but ${service.unit} is not ready; run journalctl -u ${service.unit}`,
  );
  return isReady;
}

/**
 * From now on units of an existing system serve, also after a reboot. True when they do. The timer finishes what is interrupted here.
 *
 * @param given none: those that have served before
 */
export async function failOverToExisting(
  context: Context,
  service: PodService,
  given: readonly string[],
  by: string,
): Promise<boolean> {
  const { print } = context;
  const units = given.length > 0 ? [...given] : await readExisting(service);
  const unknown = units.length === 0 ? ['a unit of an existing system'] : await unknownUnits(units);
  if (unknown.length > 0) {
    print(`${service.name}: nothing changed: cannot find ${unknown.join(', ')}`);
    return false;
  }
  const found = await find(context, service);
  const failedOver = { by, since: new Date().toISOString(), existing: units };
  await writeExisting(service, units);
  await writeFailedOver(service, failedOver);
  await remember(service, { ...noMemory, logged: 'failed over' });
  if (hasUnit(service)) {
    await changeUnit('disable', service.unit);
    await changeUnit('stop', service.unit);
  }
  await stopInK3s(context, found, failedOver);
  let why = 'the pod has not stopped';
  const isStarted = await within(failOverSeconds, async () => {
    if ((await processesInPods(service)).length > 0) return false;
    try {
      await startExisting(service, units);
      const ended = await unsteady(units);
      why = `${ended.join(' and ')} stopped or restarted; run journalctl -u ${ended[0]}`;
      return ended.length === 0;
    } catch (error) {
      why = errorText(error);
      return false;
    }
  });
  const names = units.join(', ');
  const are = units.length === 1 ? 'is' : 'are';
  if (!isStarted) {
    print(
      `${service.name}: failed over, but ${names} ${are} not running: ${why}; the timer keeps trying`,
    );
    return false;
  }
  await bindToFence(service, units);
  for (const unit of units) await changeUnit('enable', unit);
  for (const outlet of await readLeftOff(service)) {
    print(
      `${service.name}: skolo's power-cycle daemon turned ${outlet} off and has not turned it on again; turn the outlet on`,
    );
  }
  const answer = { text: '' };
  const isAnswering = await within(failOverSeconds, async () => {
    const probe = await askExisting(service, found.rack);
    answer.text = probe.text;
    // A power controller may have no port.
    return probe.isAnswering || service.name === 'power-cycle-daemon';
  });
  print(`${service.name}: failed over to ${names}, which ${are} running; ${answer.text}`);
  return isAnswering;
}

/** No pod of it is wanted, or left, and its port is free. */
async function stopInK3s(context: Context, found: Found, failedOver: FailedOver): Promise<void> {
  const { service, api, kubernetes } = found;
  if (api !== undefined && kubernetes?.state === 'answers') {
    await noteFailedOver(api, service, failedOverText(service, failedOver));
    if (kubernetes.deployment === 'asks') await scale(api, service, 0);
    await releasePort(found);
  } else {
    context.print(
      `${service.name}: ${whyOf(kubernetes)}; the Deployment will be scaled to 0 as soon as k3s responds`,
    );
    await endWhatIsLeft(context, service);
  }
}

/**
 * From now on k3s serves. True when it does; where its pod does not get ready, all stays as before.
 *
 * @param given units of an existing system that run, and nobody has failed over to them
 */
export async function failBack(
  context: Context,
  service: PodService,
  given: readonly string[] = [],
): Promise<boolean> {
  const { open, settings, print } = context;
  const failedOver = await readFailedOver(service);
  // Those of before, too: an interrupted `fail-back` may have stopped them, and they start with the computer.
  const known = [...(failedOver?.existing ?? []), ...given, ...(await readExisting(service))];
  const existing = [...new Set(known)];
  const found = await find(context, service);
  const { api, kubernetes, rack, isUnitRunning } = found;
  const why = whyNotGiven(kubernetes);
  if (why !== undefined || api === undefined || kubernetes?.state !== 'answers') {
    print(`${service.name}: nothing changed: ${why}`);
    return false;
  }

  if (existing.length > 0) {
    const isInUse = failedOver?.existing !== undefined || given.length > 0;
    const beside = isInUse ? await tryBeside(service, rack) : undefined;
    if (beside !== undefined) {
      print(`${service.name}: nothing changed: a test on a separate port failed: ${beside}`);
      return false;
    }
    await writeExisting(service, existing);
    await stopExisting(service, existing);
    // From now on none of them starts beside ours.
    await bindToFence(service, existing);
  }
  const unit = hasUnit(service) && isUnitRunning ? service.unit : undefined;
  await restorePort(found);
  if (unit !== undefined) await changeUnit('stop', unit);
  // From 0, so that a pod that has crashed meanwhile does not wait.
  if (kubernetes.deployment === 'asks') await scale(api, service, 0);
  await scale(api, service, 1);
  const isServing = await within(settings.failbackSeconds, async () => {
    const now = (await readKubernetes(open, service)).kubernetes;
    const isReady = now.state === 'answers' && now.pod.state === 'ready';
    return isReady && (await askService(service, rack)).isAnswering;
  });
  if (!isServing) {
    const now = await find(context, service);
    const why = whyOf(now.kubernetes);
    if (failedOver?.existing !== undefined || given.length > 0) {
      print(
        `${service.name}: the service is not responding on k3s (${why}); failing over to ${existing.join(', ')} again`,
      );
      await failOverToExisting(context, service, existing, failedOver?.by ?? 'skolo-fallback');
      return false;
    }
    print(
      `${service.name}: the service is not responding on k3s (${why}); restoring the previous state`,
    );
    if (failedOver !== undefined) await scale(api, service, 0);
    await releasePort(now);
    if (unit !== undefined) await changeUnit('start', unit);
    return false;
  }
  if (hasUnit(service)) await changeUnit('disable', service.unit);
  for (const each of existing) await changeUnit('disable', each);
  await noteFailedOver(api, service, undefined);
  await removeFailedOver(service);
  await remember(service, { ...noMemory, logged: 'k3s is running the service' });
  const kept = hasUnit(service) ? `; configuration in ${configurationOf(service)} is kept` : '';
  print(`${service.name}: k3s is running the service${kept}`);
  return true;
}

function whyNotGiven(kubernetes: Kubernetes | undefined): string | undefined {
  if (kubernetes?.state !== 'answers') return whyOf(kubernetes);
  if (!kubernetes.node.isReady) return kubernetes.node.why;
  if (kubernetes.deployment !== 'missing') return undefined;
  return 'k3s has no Deployment for this service; run skolo push --racks NAME';
}

function whyOf(kubernetes: Kubernetes | undefined): string {
  if (kubernetes?.state === 'answers') return kubernetes.pod.why || 'the pod has not become ready';
  return kubernetes?.why ?? 'k3s was not queried';
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
