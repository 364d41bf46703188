/**
 * Turning outlets off and on. No result is believed before it has been read back. The steps of a cycle that concern
 * outlets are here; each ends with an event.
 */

import { errorText, pause } from '@skolo/base';
import { DeviceError } from '@skolo/equipment';
import { CannotCycle, type OutletReading, type OutletState } from '@skolo/models/outlets';
import { parseUsbPort } from '@skolo/rack';
import { type Controller, isOff } from '../devices/controller.ts';
import { type Observer, seeDown } from '../machines/watch.ts';
import { type Feed, feedKey } from '../state/records.ts';
import type { CycleEvent } from './cycle.ts';
import { observerOf, type Step, whyMoved, whyNot } from './step.ts';

/** Pauses between readings, and how long a device has until it shows a command's effect. Milliseconds. */
export interface Patience {
  firstMs: number;
  mostMs: number;
  withinMs: number;
}

/** PoE ports need a second or so until they show it; a slow PDU needs some. */
export const usualPatience: Patience = { firstMs: 200, mostMs: 1000, withinMs: 6000 };

/** What came of an attempt, for people. */
export type Proof =
  | { is: 'proven'; reading: OutletReading; text: string; wasOff?: boolean }
  | { is: 'not'; text: string };

/**
 * Reads until the outlet shows `state`. An outlet that is set off and still delivers power is not off. An error of the
 * device does not end this before its time does.
 */
export async function seeState(
  controller: Controller,
  outlet: string,
  state: OutletState,
  patience: Patience,
  signal: AbortSignal,
): Promise<Proof> {
  const end = performance.now() + patience.withinMs;
  for (let wait = patience.firstMs; ; wait = Math.min(wait * 2, patience.mostMs)) {
    const { seen, text, reading } = await readOnce(controller, outlet, state);
    signal.throwIfAborted();
    if (seen && reading !== undefined) {
      return { is: 'proven', reading, text: `${controller.name}/${outlet} seen ${state}` };
    }
    if (performance.now() + wait > end) return { is: 'not', text };
    await pause(wait, signal);
  }
}

async function readOnce(
  controller: Controller,
  outlet: string,
  state: OutletState,
): Promise<{ seen: boolean; reading?: OutletReading; text: string }> {
  const name = `${controller.name}/${outlet}`;
  try {
    const reading = (await controller.read([outlet])).get(outlet);
    if (reading === undefined) return { seen: false, text: `${name}: no reading` };
    if (reading.state === 'unknown') {
      return { seen: false, reading, text: `${name}: the device does not tell whether it is on` };
    }
    if (state === 'off' && reading.state === 'off' && !isOff(reading)) {
      return { seen: false, reading, text: `${name} is set off, and still delivers power` };
    }
    return { seen: reading.state === state, reading, text: `${name} reads back ${reading.state}` };
  } catch (error) {
    return { seen: false, text: errorText(error) };
  }
}

/** Off and seen off, `tries` times at most. */
export async function turnOff(
  controller: Controller,
  outlet: string,
  { tries, patience, alone }: { tries: number; patience: Patience; alone?: true | undefined },
  signal: AbortSignal,
): Promise<Proof> {
  const reasons: string[] = [];
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    signal.throwIfAborted();
    const error = await controller.turnOff(outlet, alone).catch((reason: unknown) => reason);
    // The answer may have been lost and not the command: the reading shows it.
    if (error !== undefined) reasons.push(errorText(error));
    const proof = await seeState(controller, outlet, 'off', patience, signal);
    if (proof.is === 'proven') return proof;
    reasons.push(proof.text);
    if (error instanceof DeviceError && !error.retry) break;
  }
  return { is: 'not', text: `not seen off: ${[...new Set(reasons)].join('; ')}` };
}

/**
 * One attempt to have it on; one that is on already is left alone. But where an off may still be on its way (`isInDoubt`)
 * the command is sent all the same, and only believed once the device has taken it: it carries out one after the other.
 */
export async function turnOn(
  controller: Controller,
  outlet: string,
  { mode, isInDoubt = false }: { mode: string | undefined; isInDoubt?: boolean },
  patience: Patience,
  signal: AbortSignal,
): Promise<Proof> {
  const before = await readOnce(controller, outlet, 'on');
  signal.throwIfAborted();
  if (before.seen && before.reading !== undefined && !isInDoubt) {
    return { is: 'proven', reading: before.reading, text: `${controller.name}/${outlet} seen on` };
  }
  const error = await controller
    .turnOn(outlet, before.reading?.mode ?? mode)
    .catch((reason: unknown) => reason);
  const isTaken = error === undefined || (error instanceof DeviceError && !error.retry);
  const proof = await seeState(controller, outlet, 'on', patience, signal);
  if (proof.is === 'proven' && (isTaken || !isInDoubt)) {
    return { ...proof, wasOff: before.reading?.state === 'off' };
  }
  return { is: 'not', text: [...(error ? [errorText(error)] : []), proof.text].join('; ') };
}

/** The device's own cycle, watched from off to on. */
type NativeOutcome =
  | { is: 'cycled-natively' | 'left-off' | 'off-unseen'; text: string }
  /** The device refused, so that it was not off either. */
  | { is: 'refused'; text: string };

interface NativeOptions {
  /** Undefined: as long as is set on the device. */
  offSeconds: number | undefined;
  patience: Patience;
  onSeenOff: (text: string) => void;
}

/** A device with a time of its own is given this long to turn it on again. */
const fixedOffMs = 90_000;

export async function cycleNatively(
  controller: Controller,
  outlet: string,
  { offSeconds, patience, onSeenOff }: NativeOptions,
  signal: AbortSignal,
): Promise<NativeOutcome> {
  // Asked often, since a short time off is soon over.
  const quick = { ...patience, mostMs: patience.firstMs };
  const watchMs = offSeconds === undefined ? patience.withinMs : offSeconds * 1000;
  const { seenOff, failure } = await controller.cycleNatively(outlet, offSeconds ?? 0, {
    firstMs: patience.firstMs,
    withinMs: Math.min(watchMs, patience.withinMs),
  });
  signal.throwIfAborted();
  if (failure instanceof CannotCycle) {
    return { is: 'refused', text: errorText(failure) };
  }
  if (!seenOff) {
    const off = await seeState(controller, outlet, 'off', quick, signal);
    if (off.is === 'not') {
      // It is not sent again: it may have been carried out.
      const why = failure === undefined ? [] : [errorText(failure)];
      return { is: 'off-unseen', text: [...why, `${off.text}; never seen off`].join('; ') };
    }
  }
  const { name } = controller;
  const when = offSeconds === undefined ? ', after the time that is set on it' : '';
  onSeenOff(`${name}/${outlet} seen off; ${name} turns it on by itself${when}`);
  // It was off for a moment before it was seen off, and is asked in time for that.
  if (offSeconds !== undefined)
    await pause(Math.max(0, offSeconds * 1000 - patience.mostMs), signal);
  const withinMs = patience.withinMs + (offSeconds === undefined ? fixedOffMs : patience.mostMs);
  const pace = offSeconds === undefined ? patience : quick;
  const on = await seeState(controller, outlet, 'on', { ...pace, withinMs }, signal);
  if (on.is === 'proven') return { is: 'cycled-natively', text: on.text };
  return { is: 'left-off', text: `${name} did not turn it on in time: ${on.text}` };
}

/** Reads all feeds, so that nothing is turned off that could not be turned on again and seen on. */
export async function contact(step: Step): Promise<CycleEvent> {
  const { settings, contactPauseMs, signal } = step;
  const { action, feeds } = step.record;
  const why = whyNot(step);
  if (why !== undefined) return { is: 'forbidden', text: why };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const read = await Promise.all(feeds.map((feed) => readFeed(feed, step)));
      const silent = read.find(([, { state }]) => action !== 'on' && state === 'unknown');
      if (silent) throw new Error(`${silent[0]}: the device does not tell whether it is on`);
      const modes = new Map(read.map(([key, reading]) => [key, reading.mode]));
      const text = read.map(([key, reading]) => `${key} is ${stateText(reading)}`).join(', ');
      return { is: 'contacted', modes, text };
    } catch (error) {
      signal.throwIfAborted();
      const text = errorText(error);
      const isOfDevice = error instanceof DeviceError;
      // It is to be on, so that is tried until it is.
      if (action === 'on' && isOfDevice) return { is: 'contacted', modes: new Map(), text };
      const isFinal = isOfDevice && !error.retry;
      if (isFinal || attempt >= settings.tries.off) return { is: 'contact-failed', text };
      step.report({ is: 'noted', text: `${text}; tried again` });
      await pause(contactPauseMs, signal);
    }
  }
}

function stateText({ state, fault }: OutletReading): string {
  return fault === undefined ? state : `${state}, with the fault ${JSON.stringify(fault)}`;
}

/** Outlets that report a fault now: `switch-1/14: Fault`. One that cannot be read reports none. */
export async function faultsOf(step: Step): Promise<string | undefined> {
  const reads = await Promise.allSettled(step.record.feeds.map((feed) => readFeed(feed, step)));
  const faults = reads.flatMap((read) => {
    const [key, { fault }] = read.status === 'fulfilled' ? read.value : ['', { fault: undefined }];
    return fault === undefined ? [] : [`${key}: ${fault}`];
  });
  return faults.length > 0 ? faults.join(', ') : undefined;
}

async function readFeed(feed: Feed, { controllers }: Step): Promise<[string, OutletReading]> {
  const key = feedKey(feed);
  const controller = controllers.get(feed.controller);
  if (controller === undefined) throw new Error(`${feed.controller} is not in rack.yaml any more`);
  const reading = (await controller.read([feed.outlet])).get(feed.outlet);
  if (reading === undefined) throw new Error(`${key}: no reading`);
  return [key, reading];
}

/** All feeds off, or the device's own cycle where it has one. */
export async function turnAllOff(step: Step): Promise<CycleEvent> {
  const { record, rack, target, watch, signal } = step;
  const moved = whyMoved(step);
  if (moved !== undefined) {
    return { is: record.action === 'off' ? 'forbidden' : 'off-failed', text: moved };
  }
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  // From before it is off until it was seen down, or the attempt is over.
  const observer = record.action === 'cycle' ? observerOf(rack, target) : undefined;
  const native = nativeCycleOf(step);
  const isUsb = record.feeds.some(isUsbPort);
  try {
    // Where no reading proves that it was off, an outage does it only of what was up before. That look ends before the
    // command is sent: one that runs beside it may come too late.
    const wasUp = observer && (native || isUsb) && (await observer.probe(watch.lookMs, signal)).up;
    signal.throwIfAborted();
    if (observer !== undefined) void reportDown(observer, step, ending, wasUp);
    return await (native === undefined ? allStepByStep(step) : allNatively(step, native));
  } finally {
    over.abort();
  }
}

/** @param wasUp it was seen up before */
async function reportDown(
  observer: Observer,
  { watch, report }: Step,
  signal: AbortSignal,
  wasUp = false,
): Promise<void> {
  try {
    const down = await seeDown(observer, 3_600_000, watch, signal);
    if (down === undefined) return;
    report({ is: 'seen-down', text: `seen down: ${down.text}`, wasUp: wasUp || down.wasUp });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface NativeCycle {
  controller: Controller;
  outlet: string;
  /** Undefined: as long as is set on the device. */
  offSeconds: number | undefined;
}

/** How its one device cycles it by itself; undefined: it does not. */
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
  const { record, patience, report, signal } = step;
  const onSeenOff = (text: string) => report({ is: 'off-natively', text });
  const options = { offSeconds, patience, onSeenOff };
  const outcome = await cycleNatively(controller, outlet, options, signal);
  // Where it may have been off, unseen, to turn it off now would be the second time.
  if (outcome.is !== 'refused') return outcome;
  const { text } = outcome;
  if (record.nativeOnly) return { is: 'off-failed', text };
  report({ is: 'noted', text: `${text}; now step by step` });
  return allStepByStep(step);
}

async function allStepByStep(step: Step): Promise<CycleEvent> {
  const { record, settings, controllers, patience, signal } = step;
  if (record.nativeOnly) {
    const text = 'the device can no longer cycle the outlet by itself, and nobody could turn it on';
    return { is: 'off-failed', text };
  }
  const options = { tries: settings.tries.off, patience, alone: record.alone };
  const proofs = await Promise.all(
    record.feeds.map((feed): Proof | Promise<Proof> => {
      const controller = controllers.get(feed.controller);
      if (controller !== undefined) return turnOff(controller, feed.outlet, options, signal);
      return { is: 'not', text: `${feed.controller} is not in rack.yaml any more` };
    }),
  );
  const failed = proofs.filter(({ is }) => is === 'not');
  const text = (failed.length > 0 ? failed : proofs).map((proof) => proof.text).join(', ');
  if (failed.length > 0) return { is: 'off-failed', text };
  if (!record.feeds.some(isUsbPort)) return { is: 'seen-off', text };
  // Many hubs report a port as off and leave the power on.
  const unproven = `${text} by its hub, which does not prove that the phone lost its power`;
  return { is: 'seen-off', text: unproven, unproven: true };
}

function isUsbPort({ outlet }: Feed): boolean {
  return parseUsbPort(outlet) !== undefined;
}

export async function waitOff(step: Step): Promise<CycleEvent> {
  const { record, rack, target, watch, signal } = step;
  const observer = observerOf(rack, target);
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  // One look is made after it was seen off, however short the time is.
  // It was watched until now, unless the daemon was restarted.
  const looking =
    observer && !record.sawDown ? reportDown(observer, step, ending, !record.unwatched) : undefined;
  try {
    const cut = AbortSignal.any([signal, step.ending]);
    await pause(record.offSeconds * 1000, cut).catch(() => undefined);
    if (step.ending.aborted) {
      step.report({ is: 'noted', text: 'the daemon stops: the power comes back early' });
    } else if (observer !== undefined && target?.kind !== 'device') {
      await Promise.race([looking, pause(watch.lookMs, ending)]);
    }
    signal.throwIfAborted();
  } finally {
    over.abort();
  }
  return { is: 'off-waited' };
}
