/** A cycle's steps with its outlets: reads them, turns them off, waits. Each step ends with an event. */

import { errorText, pause, settlesWithin } from '@skolo/base';
import type { OutletReading } from '@skolo/equipment/models/outlets';
import { DeviceError, DeviceTimeout } from '@skolo/equipment/transports';
import { parseUsbPort } from '@skolo/rack';
import type { Controller } from '../equipment/controller.ts';
import { cycleNatively, turnOff, type Verification } from '../equipment/outlets.ts';
import { isDown, probeOf } from '../machines/probe.ts';
import { isAlive, type Observer, seeDown } from '../machines/watch.ts';
import { type Feed, feedKey, restoreOf } from '../state/records.ts';
import type { CycleEvent } from './cycle.ts';
import { observerOf, type Step, whyMoved, whyNot } from './step.ts';

/** Reads all feeds, so that nothing is turned off that could not be turned on again and seen on. */
export async function contact(step: Step): Promise<CycleEvent> {
  const { settings, timing, signal } = step;
  const { action, feeds } = step.record;
  const why = whyNot(step);
  if (why !== undefined) return { is: 'forbidden', text: why };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const reading = Promise.all([
        Promise.all(feeds.map((feed) => readFeed(feed, step))),
        action === 'on' && othersMoved(step),
      ]);
      const looks = feeds.map((feed) => step.controllers.get(feed.controller)?.lookMs ?? 0);
      // Turning on does not wait long for a device that does not answer.
      if (action === 'on' && !(await settlesWithin(Math.max(...looks), reading)))
        throw new DeviceTimeout(step.record.target, 'its outlets could not be read in time');
      const [read] = await reading;
      const silent = read.find(([, { state }]) => action !== 'on' && state === 'unknown');
      if (silent)
        throw new Error(`${silent[0]}: the controller does not report whether this outlet is on`);
      const modes = new Map(read.map(([key, reading]) => [key, restoreOf(reading)]));
      const text = read.map(([key, reading]) => `${key} is ${stateText(reading)}`).join(', ');
      return { is: 'contacted', modes, text };
    } catch (error) {
      signal.throwIfAborted();
      const text = errorText(error);
      const isOfEquipment = error instanceof DeviceError;
      // It should be on, so that is retried until it is.
      if (action === 'on' && isOfEquipment) return { is: 'contacted', modes: new Map(), text };
      const isFinal = isOfEquipment && !error.retry;
      if (isFinal || attempt >= settings.tries.off) return { is: 'contact-failed', text };
      step.report({ is: 'noted', text: `${text}; retrying` });
      await pause(timing.contactPauseMs, signal);
    }
  }
}

function stateText({ state, fault }: OutletReading): string {
  return fault === undefined ? state : `${state}, with the fault ${JSON.stringify(fault)}`;
}

/**
 * What the outlets show of a target that has not returned: which report a fault (`switch-1/14: Fault`), and which supply nothing although
 * they did before. One that cannot be read shows neither. Nothing is done about it.
 */
export async function shownByOutlets(step: Step): Promise<{ fault?: string; unused?: string }> {
  const reads = await Promise.allSettled(step.record.feeds.map((feed) => readFeed(feed, step)));
  const readings = reads.flatMap((read) => (read.status === 'fulfilled' ? [read.value] : []));
  const faults = readings.flatMap(([key, { fault }]) =>
    fault === undefined ? [] : [`${key}: ${fault}`],
  );
  const unused = readings.flatMap(([key, { state, watts }]) => {
    const before = step.suppliedWatts(key);
    return state === 'on' && watts === 0 && before !== undefined
      ? [`${key} supplies 0 W, and ${Math.round(before)} W before`]
      : [];
  });
  // With a second feed, one may supply nothing.
  const isDark = unused.length > 0 && unused.length === step.record.feeds.length;
  return {
    ...(faults.length > 0 && { fault: faults.join(', ') }),
    ...(isDark && { unused: unused.join(', ') }),
  };
}

async function readFeed(feed: Feed, { controllers }: Step): Promise<[string, OutletReading]> {
  const key = feedKey(feed);
  const controller = controllers.get(feed.controller);
  if (controller === undefined) throw new Error(`${feed.controller} is no longer in rack.yaml`);
  const reading = (await controller.read([feed.outlet])).get(feed.outlet);
  if (reading === undefined) throw new Error(`${key}: no reading`);
  return [key, reading];
}

/**
 * Reads all outlets of its devices. Returns which others have moved since its own were switched: a relay that turns another one off
 * (Tasmota's Interlock), outlets that are grouped. Undefined: none has.
 */
export async function othersMoved({
  record,
  controllers,
  report,
}: Step): Promise<string | undefined> {
  const moved = await Promise.all(
    record.feeds.map(async ({ controller: name, outlet }) => {
      try {
        return await controllers.get(name)?.othersMoved(outlet);
      } catch (error) {
        const text = `the other outlets of ${name} could not be compared: ${errorText(error)}`;
        return void report({ is: 'noted', text });
      }
    }),
  );
  const found = moved.filter((each) => each !== undefined);
  if (found.length === 0) return undefined;
  const what =
    'check whether the controller links outlets (interlock, groups, cover mode) or lacks power for all of them';
  return `${found.join(', ')}, which nobody requested; ${what}, or somebody used its buttons or another program`;
}

/** All feeds off, or the device's own cycle if it has one. */
export async function turnAllOff(step: Step): Promise<CycleEvent> {
  const { record, rack, target, report, signal } = step;
  const { watch } = step.timing;
  const moved = whyMoved(step);
  if (moved !== undefined) {
    return { is: record.action === 'off' ? 'forbidden' : 'off-failed', text: moved };
  }
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  // From before it is off until it was seen down, or the attempt has ended.
  const observer = record.action === 'cycle' ? observerOf(rack, target) : undefined;
  const native = nativeCycleOf(step);
  const isUsb = record.feeds.some(isUsbPort);
  try {
    // What has moved until now is not due to this cycle.
    await othersMoved(step);
    // Where no reading proves that it was off, an outage does, but only of a machine that was up before. This look ends before the command
    // is sent: one that runs in parallel may come too late.
    const isTried = record.unproven !== undefined;
    const [look, names] = await Promise.all([
      native || isUsb || isTried ? observer?.probe(watch.lookMs, signal) : undefined,
      isTried ? neighboursUp(step) : [],
    ]);
    const wasUp = look && isAlive(look);
    if (names.length > 0) report({ is: 'neighbours-up', names });
    signal.throwIfAborted();
    if (observer !== undefined) void reportDown(observer, step, ending, wasUp);
    const event = await (native === undefined ? allStepByStep(step) : allNatively(step, native));
    // Otherwise once the power is on again, which does not wait for this.
    const isLast =
      record.action === 'off' ? event.is === 'seen-off' : event.is === 'cycled-natively';
    const others = isLast ? await othersMoved(step) : undefined;
    if (others !== undefined) report({ is: 'moved', text: others });
    return event;
  } finally {
    over.abort();
  }
}

/** @param wasUp whether it was seen up before */
async function reportDown(
  observer: Observer,
  { timing, report }: Step,
  signal: AbortSignal,
  wasUp = false,
): Promise<void> {
  try {
    const down = await seeDown(observer, 3_600_000, timing.watch, signal);
    if (down === undefined) return;
    const text = `confirmed down: ${down.text}`;
    report({ is: 'seen-down', text, how: down.how, wasUp: wasUp || down.wasUp });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface NativeCycle {
  controller: Controller;
  outlet: string;
  /** Undefined: the time set on the device. */
  offSeconds: number | undefined;
}

/** How its only device cycles it by itself; undefined: it does not. */
function nativeCycleOf({ record, controllers }: Step): NativeCycle | undefined {
  const [feed, ...more] = record.feeds;
  const controller = feed && controllers.get(feed.controller);
  if (record.action !== 'cycle' || !feed || !controller || more.length > 0) return undefined;
  const isFixed = controller.hasFixedCycle;
  const offSeconds = isFixed && !record.offSecondsGiven ? undefined : record.offSeconds;
  if (!controller.cyclesNatively(offSeconds)) return undefined;
  return { controller, outlet: feed.outlet, offSeconds };
}

async function allNatively(
  step: Step,
  { controller, outlet, offSeconds }: NativeCycle,
): Promise<CycleEvent> {
  const { record, timing, report, signal } = step;
  const onSeenOff = (text: string) => report({ is: 'off-natively', text });
  const offMs = record.offSeconds * 1000;
  const options = { offSeconds, offMs, patience: timing.patience, onSeenOff };
  const outcome = await cycleNatively(controller, outlet, options, signal);
  // It may already have been off, unseen; turning it off now would be the second time.
  if (outcome.is !== 'rejected') return outcome;
  const { text } = outcome;
  if (record.nativeOnly) return { is: 'off-failed', text };
  report({ is: 'noted', text: `${text}; continuing step by step` });
  return allStepByStep(step);
}

async function allStepByStep(step: Step): Promise<CycleEvent> {
  const { record, settings, controllers, timing, signal } = step;
  if (record.nativeOnly) {
    const text =
      'the controller can no longer cycle the outlet itself, so nothing could turn the outlet on again';
    return { is: 'off-failed', text };
  }
  const options = {
    tries: settings.tries.off,
    patience: timing.patience,
    alone: record.alone,
    offMs: record.action === 'cycle' ? record.offSeconds * 1000 : undefined,
  };
  const verifications = await Promise.all(
    record.feeds.map((feed): Verification | Promise<Verification> => {
      const controller = controllers.get(feed.controller);
      if (controller !== undefined) return turnOff(controller, feed.outlet, options, signal);
      return { is: 'not', text: `${feed.controller} is no longer in rack.yaml` };
    }),
  );
  const [failed, unseen] = (['not', 'silent'] as const).map((state) =>
    verifications.filter(({ is }) => is === state),
  );
  const told = [failed, unseen].find((some) => some?.length) ?? verifications;
  const text = told.map((verification) => verification.text).join(', ');
  if (failed?.length) return { is: 'off-failed', text };
  if (unseen?.length) return { is: 'off-unseen', text };
  if (!record.feeds.some(isUsbPort)) return { is: 'seen-off', text };
  // Many hubs report a port as off but leave the power on.
  const unverified = `${text} by its hub, which does not confirm that the phone lost power`;
  return { is: 'seen-off', text: unverified, unverified: true };
}

function isUsbPort({ outlet }: Feed): boolean {
  return parseUsbPort(outlet) !== undefined;
}

/** How many machines on other outlets of the same equipment are watched while an unproven description is tried. */
const mostNeighbours = 16;

/** Those that respond. */
async function neighboursUp(step: Step): Promise<string[]> {
  const { record, rack } = step;
  const own = new Set(record.feeds.map(({ controller }) => controller));
  const names = [...rack.machines.values()]
    .filter(
      ({ name, power }) => name !== record.target && power.some(({ device }) => own.has(device)),
    )
    .map(({ name }) => name);
  return await whichAre('up', names.slice(0, mostNeighbours), step);
}

async function whichAre(
  state: 'up' | 'down',
  names: readonly string[],
  { rack, timing, signal }: Step,
): Promise<string[]> {
  const looks = await Promise.all(
    names.map(async (name) => {
      const machine = rack.machines.get(name);
      const look = machine && (await probeOf(rack, machine)?.(timing.watch.lookMs, signal));
      return look !== undefined && (state === 'up' ? isAlive(look) : isDown(look));
    }),
  );
  return names.filter((_, index) => looks[index]);
}

/**
 * At the end of the time in which its outlets are off, what an unproven description has done: the target may still respond, or a machine on
 * another outlet may not.
 */
async function isStillUp(step: Step, observer: Observer): Promise<boolean> {
  const { record, timing, signal, report } = step;
  const { neighbours = [] } = record.unproven ?? {};
  const lookMs = Math.min(timing.watch.lookMs, mostLookMs);
  const [look, fallen] = await Promise.all([
    observer.probe(lookMs, signal),
    whichAre('down', neighbours, step),
  ]);
  if (fallen.length > 0) {
    const outlets = record.feeds.map(feedKey).join(', ');
    const text = `${fallen.join(', ')} became silent when ${outlets} was turned off; check whether the description addresses another outlet`;
    report({ is: 'moved', text });
  }
  return isAlive(look);
}

/** How long power waits for the look at what lost it. */
const mostLookMs = 500;

export async function waitOff(step: Step): Promise<CycleEvent> {
  const { record, rack, target, signal } = step;
  const { watch } = step.timing;
  const observer = observerOf(rack, target);
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  // At least one look is made after it was seen off, however short the time is.
  // It was watched until now, unless the daemon was restarted.
  const looking =
    observer && !record.sawDown ? reportDown(observer, step, ending, !record.unwatched) : undefined;
  try {
    const cut = AbortSignal.any([signal, step.ending]);
    await pause(record.offSeconds * 1000, cut).catch(() => undefined);
    if (step.ending.aborted) {
      step.report({ is: 'noted', text: 'the daemon is stopping, so the power is turned on early' });
    } else if (observer !== undefined && target?.kind !== 'phone') {
      await Promise.race([looking, pause(Math.min(watch.lookMs, mostLookMs), ending)]);
    }
    signal.throwIfAborted();
    // A phone is seen only while it does not charge.
    const isTried = record.unproven !== undefined && target?.kind !== 'phone';
    if (observer !== undefined && isTried && (await isStillUp(step, observer)))
      return { is: 'off-waited', isUp: true };
  } finally {
    over.abort();
  }
  return { is: 'off-waited' };
}
