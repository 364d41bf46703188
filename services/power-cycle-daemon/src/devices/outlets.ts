/** Turns outlets off and on, and decides when one counts as off or on: only after it has been read back. How long that may take. */

import { errorText, pause } from '@skolo/base';
import { CannotCycle, type OutletReading, type OutletState } from '@skolo/equipment/models/outlets';
import { DeviceError } from '@skolo/equipment/transports';
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
  | { is: 'not'; text: string };

/**
 * Reads until the outlet shows `state`. An outlet that is set off but still delivers power is not off. A device error does not end this
 * before its time is over, which is longer for a device that may be slow.
 */
export async function seeState(
  controller: Controller,
  outlet: string,
  state: OutletState,
  patience: Patience,
  signal: AbortSignal,
): Promise<Verification> {
  const end = performance.now() + Math.max(patience.withinMs, controller.stepMs);
  for (let wait = patience.firstMs; ; wait = Math.min(wait * 2, patience.mostMs)) {
    const { seen, text, reading } = await readOnce(controller, outlet, state);
    signal.throwIfAborted();
    if (seen && reading !== undefined) {
      return {
        is: 'verified',
        reading,
        text: `${controller.name}/${outlet} is reported as ${state}`,
      };
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

/** Off and seen off, with at most `tries` tries. */
export async function turnOff(
  controller: Controller,
  outlet: string,
  { tries, patience, alone }: { tries: number; patience: Patience; alone?: true | undefined },
  signal: AbortSignal,
): Promise<Verification> {
  const reasons: string[] = [];
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    signal.throwIfAborted();
    const error = await controller.turnOff(outlet, alone).catch((reason: unknown) => reason);
    // The answer may have been lost but the command carried out: the reading shows it.
    if (error !== undefined) reasons.push(errorText(error));
    const verification = await seeState(controller, outlet, 'off', patience, signal);
    if (verification.is === 'verified') return verification;
    reasons.push(verification.text);
    if (error instanceof DeviceError && !error.retry) break;
  }
  return {
    is: 'not',
    text: `the outlet is not reported as off: ${[...new Set(reasons)].join('; ')}`,
  };
}

/**
 * One attempt to turn it on; an outlet that is already on is left alone. But where an off may still be on its way (`isInDoubt`), the
 * command is sent anyway, and the outlet counts as on only once the device has accepted it: devices carry out commands in order.
 */
export async function turnOn(
  controller: Controller,
  outlet: string,
  {
    mode,
    via,
    isInDoubt = false,
  }: { mode: string | undefined; via?: string | undefined; isInDoubt?: boolean },
  patience: Patience,
  signal: AbortSignal,
): Promise<Verification> {
  const before = await readOnce(controller, outlet, 'on');
  signal.throwIfAborted();
  if (before.seen && before.reading !== undefined && !isInDoubt) {
    return {
      is: 'verified',
      reading: before.reading,
      text: `${controller.name}/${outlet} is reported as on`,
    };
  }
  const error = await controller
    .turnOn(outlet, before.reading?.mode ?? mode, before.reading?.via ?? via)
    .catch((reason: unknown) => reason);
  const isTaken = error === undefined || (error instanceof DeviceError && !error.retry);
  const verification = await seeState(controller, outlet, 'on', patience, signal);
  if (verification.is === 'verified' && (isTaken || !isInDoubt)) {
    return { ...verification, wasOff: before.reading?.state === 'off' };
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
  patience: Patience;
  onSeenOff: (text: string) => void;
}

/** How long a device with its own off-time has to turn the outlet on again. */
const fixedOffMs = 90_000;

export async function cycleNatively(
  controller: Controller,
  outlet: string,
  { offSeconds, patience, onSeenOff }: NativeOptions,
  signal: AbortSignal,
): Promise<NativeOutcome> {
  // Read often, because a short off-time is soon over.
  const quick = { ...patience, mostMs: patience.firstMs };
  const watchMs = offSeconds === undefined ? patience.withinMs : offSeconds * 1000;
  const { seenOff, sentBy, failure } = await controller.cycleNatively(outlet, offSeconds ?? 0, {
    firstMs: patience.firstMs,
    withinMs: Math.min(watchMs, patience.withinMs),
  });
  signal.throwIfAborted();
  if (failure instanceof CannotCycle) {
    return { is: 'rejected', text: errorText(failure) };
  }
  if (!seenOff) {
    const off = await seeState(controller, outlet, 'off', quick, signal);
    if (off.is === 'not') {
      // The command is not repeated: it may have been carried out.
      const why = failure === undefined ? [] : [errorText(failure)];
      return {
        is: 'off-unseen',
        text: [...why, `${off.text}; the outlet was never reported as off`].join('; '),
      };
    }
  }
  const { name } = controller;
  const when = offSeconds === undefined ? ' after the delay set on the controller' : '';
  onSeenOff(`${name}/${outlet} is reported as off; ${name} turns it on automatically${when}`);
  if (offSeconds !== undefined) {
    await pause(Math.max(0, sentBy + offSeconds * 1000 - performance.now()), signal);
  }
  const withinMs = patience.withinMs + (offSeconds === undefined ? fixedOffMs : 0);
  const pace = offSeconds === undefined ? patience : quick;
  const on = await seeState(controller, outlet, 'on', { ...pace, withinMs }, signal);
  if (on.is === 'verified') return { is: 'cycled-natively', text: on.text };
  return { is: 'left-off', text: `${name} did not turn the outlet on in time: ${on.text}` };
}
