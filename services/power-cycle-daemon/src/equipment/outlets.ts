/** Turns outlets off and on, and decides when one counts as off or on: only after it has been read back. How long that may take. */

import { errorText, orAborted, pause, withDeadline } from '@skolo/base';
import { CannotCycle, type OutletReading, type OutletState } from '@skolo/equipment/models/outlets';
import { DeviceError, DeviceTimeout } from '@skolo/equipment/transports';
import { type Controller, isOff } from './controller.ts';

/** Pauses between readings, and the time within which a device must show a command's effect. Milliseconds. */
export interface Patience {
  firstMs: number;
  mostMs: number;
  withinMs: number;
}

/** The result of an attempt, for people. */
export type Verification =
  | { is: 'verified'; reading: OutletReading; text: string; wasOff?: boolean }
  /** Turned on a second time, it is not reported as on. */
  | { is: 'toggled'; text: string }
  /** `silent`: it may have the state, but the device did not answer. */
  | { is: 'not' | 'silent'; text: string };

/** How long a device may be silent until its outlet must be turned on. Milliseconds. */
interface Silence {
  /** By `performance.now()`, or when the reading after the last answer begins, if that is later. */
  since: number;
  ms: number;
}

/**
 * Reads until the outlet shows `state`. An outlet that is set off but still delivers power is not off. A device error does not end this
 * before its time is over, which is longer for a device that may be slow. With `silence`, a device without an answer has that time instead,
 * even in the middle of a reading.
 */
export async function seeState(
  controller: Controller,
  outlet: string,
  state: OutletState,
  patience: Patience,
  signal: AbortSignal,
  silence?: Silence,
): Promise<Verification> {
  const end = performance.now() + Math.max(patience.withinMs, controller.stepMs);
  const { ms } = silence ?? { ms: Number.POSITIVE_INFINITY };
  let since = silence?.since ?? 0;
  const leftMs = () => Math.max(0, since + ms - performance.now());
  for (let wait = patience.firstMs; ; wait = Math.min(wait * 2, patience.mostMs)) {
    const { seen, text, reading } = await readOnce(controller, outlet, state, leftMs());
    signal.throwIfAborted();
    if (seen && reading !== undefined) {
      return {
        is: 'verified',
        reading,
        text: `${controller.name}/${outlet} is reported as ${state}`,
      };
    }
    const hasAnswered = reading !== undefined && reading.state !== 'unknown';
    if (hasAnswered) since = Math.max(since, performance.now() + wait);
    const isSilent = silence !== undefined && !hasAnswered;
    if (!isSilent && performance.now() + wait > end) return { is: 'not', text };
    await pause(Math.min(wait, leftMs()), signal);
    if (isSilent && leftMs() === 0) return { is: 'silent', text };
  }
}

/** @param ms from when on it has no answer */
async function readOnce(
  controller: Controller,
  outlet: string,
  state: OutletState,
  ms: number,
): Promise<{ seen: boolean; reading?: OutletReading; text: string }> {
  const name = `${controller.name}/${outlet}`;
  const late = () => new DeviceTimeout(name, 'no reading in time');
  try {
    const readings = await withDeadline({ ms, late }, (limit) =>
      orAborted(controller.read([outlet]), limit),
    );
    const reading = readings.get(outlet);
    if (reading === undefined) return { seen: false, text: `${name}: no reading` };
    if (reading.state === 'unknown') {
      return {
        seen: false,
        reading,
        text: `${name}: the controller does not report whether this outlet is on`,
      };
    }
    if (state === 'off' && reading.state === 'off' && !isOff(reading)) {
      return { seen: false, reading, text: `${name} is turned off, but still delivers power` };
    }
    return { seen: reading.state === state, reading, text: `${name} is still ${reading.state}` };
  } catch (error) {
    return { seen: false, text: errorText(error) };
  }
}

const neverOff = 'the outlet was never reported as off';

/**
 * Off and seen off, with at most `tries` tries. An accepted off is not repeated where the device is silent for `offMs`, which the outlet
 * should be off: it must be turned on then.
 */
export async function turnOff(
  controller: Controller,
  outlet: string,
  { tries, patience, alone, offMs }: TurnOffOptions,
  signal: AbortSignal,
): Promise<Verification> {
  const reasons: string[] = [];
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    signal.throwIfAborted();
    const error = await controller.turnOff(outlet, alone).catch((reason: unknown) => reason);
    // The answer may have been lost but the command carried out: the reading shows it.
    if (error !== undefined) reasons.push(errorText(error));
    const silence = offMs === undefined ? undefined : { since: performance.now(), ms: offMs };
    const seen = await seeState(controller, outlet, 'off', patience, signal, silence);
    if (seen.is === 'verified') return seen;
    if (seen.is === 'silent' && error === undefined)
      return { is: 'silent', text: `${seen.text}; ${neverOff}` };
    reasons.push(seen.text);
    if (error instanceof DeviceError && !error.retry) break;
  }
  return {
    is: 'not',
    text: `the outlet is not reported as off: ${[...new Set(reasons)].join('; ')}`,
  };
}

interface TurnOffOptions {
  tries: number;
  patience: Patience;
  alone?: true | undefined;
  /** After which it must be turned on again; undefined: it stays off. */
  offMs?: number | undefined;
}

interface TurnOnOptions {
  mode: string | undefined;
  via?: string | undefined;
  /** An off may still be on its way. */
  isInDoubt?: boolean;
  /** It was seen off, and must be on now. */
  isDue?: boolean;
  /** Its commands are unproven, and may toggle: they are sent once more when it is on. */
  isTwice?: boolean;
}

/**
 * One attempt to turn it on; an outlet that is already on is left alone. But where an off may still be on its way, the command is sent
 * anyway, and the outlet counts as on only once the device has accepted it: devices carry out commands in order. It is turned on in the mode
 * of the last reading, which was on.
 */
export async function turnOn(
  controller: Controller,
  outlet: string,
  { mode, via, isInDoubt = false, isDue = false, isTwice = false }: TurnOnOptions,
  patience: Patience,
  signal: AbortSignal,
): Promise<Verification> {
  if (!isInDoubt && !isDue) {
    const { seen, reading } = await readOnce(controller, outlet, 'on', controller.lookMs);
    signal.throwIfAborted();
    const text = `${controller.name}/${outlet} is reported as on`;
    if (seen && reading !== undefined) return { is: 'verified', reading, text };
  }
  const before = controller.lastReading(outlet);
  const send = () =>
    controller
      .turnOn(outlet, { mode: before?.mode ?? mode, via: before?.via ?? via })
      .catch((reason: unknown) => reason);
  const error = await send();
  const isTaken = error === undefined || (error instanceof DeviceError && !error.retry);
  const verification = await seeState(controller, outlet, 'on', patience, signal);
  if (verification.is === 'verified' && (isTaken || !isInDoubt)) {
    if (isTwice && (await send()) === undefined) {
      const again = await seeState(controller, outlet, 'on', patience, signal);
      if (again.is !== 'verified') return { is: 'toggled', text: again.text };
    }
    return { ...verification, wasOff: before?.state === 'off' };
  }
  return { is: 'not', text: [...(error ? [errorText(error)] : []), verification.text].join('; ') };
}

/** The device's own cycle, watched from off to on. */
type NativeOutcome =
  | { is: 'cycled-natively' | 'left-off' | 'off-unseen'; text: string }
  /** The device rejected the command, so the outlet was not off. */
  | { is: 'rejected'; text: string };

interface NativeOptions {
  /** Undefined: the time set on the device. */
  offSeconds: number | undefined;
  /** After which power is restored where the device is silent. */
  offMs: number;
  patience: Patience;
  onSeenOff: (text: string) => void;
}

/** How long a device with its own off-time has to turn the outlet on again. */
const fixedOffMs = 90_000;
/** Readings begin so long before the outlet should be on, for a sign-in. */
const signInMs = 3000;
/** A reading, and each command in front of it, may take so long after that. */
const answerMs = 500;

export async function cycleNatively(
  controller: Controller,
  outlet: string,
  { offSeconds, offMs, patience, onSeenOff }: NativeOptions,
  signal: AbortSignal,
): Promise<NativeOutcome> {
  // Read often, because a short off-time is soon over.
  const quick = { ...patience, mostMs: patience.firstMs };
  const watchMs = offSeconds === undefined ? patience.withinMs : offSeconds * 1000;
  const { seenOff, sentBy, failure } = await controller.cycleNatively(outlet, offSeconds ?? 0, {
    firstMs: patience.firstMs,
    withinMs: Math.min(watchMs, patience.withinMs),
    silentMs: offMs,
  });
  signal.throwIfAborted();
  if (failure instanceof CannotCycle) {
    return { is: 'rejected', text: errorText(failure) };
  }
  if (!seenOff) {
    const silence = { since: sentBy, ms: offMs };
    const off = await seeState(controller, outlet, 'off', quick, signal, silence);
    if (off.is !== 'verified') {
      // The command is not repeated: it may have been carried out.
      const why = failure === undefined ? [] : [errorText(failure)];
      return {
        is: 'off-unseen',
        text: [...why, off.text, neverOff].join('; '),
      };
    }
  }
  const { name } = controller;
  const when = offSeconds === undefined ? ' after the delay set on the controller' : '';
  onSeenOff(`${name}/${outlet} is reported as off; ${name} turns it on automatically${when}`);
  const due = sentBy + offMs;
  const leftMs = offSeconds === undefined ? 0 : Math.max(0, due - performance.now());
  const earlyMs = Math.min(leftMs, signInMs);
  await pause(leftMs - earlyMs, signal);
  const withinMs = earlyMs + patience.withinMs + (offSeconds === undefined ? fixedOffMs : 0);
  // At most two of the queue are readings; commands delay this reading, and would delay turning on, too.
  const silence = { since: due, ms: answerMs * Math.max(1, controller.queueLength - 1) };
  const on = await seeState(controller, outlet, 'on', { ...quick, withinMs }, signal, silence);
  if (on.is === 'verified') return { is: 'cycled-natively', text: on.text };
  return { is: 'left-off', text: `${name} did not turn the outlet on in time: ${on.text}` };
}
