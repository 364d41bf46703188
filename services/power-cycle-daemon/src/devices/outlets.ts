/** Turning outlets off and on. No result is believed before it has been read back. */

import { errorText, pause } from '@skolo/base';
import { DeviceError } from '@skolo/equipment';
import { CannotCycle, type OutletReading, type OutletState } from '@skolo/models/outlets';
import { type Controller, isOff } from './controller.ts';

/** Pauses between readings, and how long a device has until it shows a command's effect. Milliseconds. */
export interface Patience {
  firstMs: number;
  mostMs: number;
  withinMs: number;
}

/** What came of an attempt, for people. */
export type Verification =
  | { is: 'verified'; reading: OutletReading; text: string; wasOff?: boolean }
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
): Promise<Verification> {
  const end = performance.now() + patience.withinMs;
  for (let wait = patience.firstMs; ; wait = Math.min(wait * 2, patience.mostMs)) {
    const { seen, text, reading } = await readOnce(controller, outlet, state);
    signal.throwIfAborted();
    if (seen && reading !== undefined) {
      return { is: 'verified', reading, text: `${controller.name}/${outlet} reads ${state}` };
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
        text: `${name}: the device does not report whether this outlet is on`,
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

/** Off and seen off, `tries` times at most. */
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
    // The answer may have been lost and not the command: the reading shows it.
    if (error !== undefined) reasons.push(errorText(error));
    const verification = await seeState(controller, outlet, 'off', patience, signal);
    if (verification.is === 'verified') return verification;
    reasons.push(verification.text);
    if (error instanceof DeviceError && !error.retry) break;
  }
  return { is: 'not', text: `is not reported as off: ${[...new Set(reasons)].join('; ')}` };
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
): Promise<Verification> {
  const before = await readOnce(controller, outlet, 'on');
  signal.throwIfAborted();
  if (before.seen && before.reading !== undefined && !isInDoubt) {
    return {
      is: 'verified',
      reading: before.reading,
      text: `${controller.name}/${outlet} reads on`,
    };
  }
  const error = await controller
    .turnOn(outlet, before.reading?.mode ?? mode)
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
  /** The device rejected, so that it was not off either. */
  | { is: 'rejected'; text: string };

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
    return { is: 'rejected', text: errorText(failure) };
  }
  if (!seenOff) {
    const off = await seeState(controller, outlet, 'off', quick, signal);
    if (off.is === 'not') {
      // It is not sent again: it may have been carried out.
      const why = failure === undefined ? [] : [errorText(failure)];
      return {
        is: 'off-unseen',
        text: [...why, `${off.text}; the outlet was never seen off`].join('; '),
      };
    }
  }
  const { name } = controller;
  const when = offSeconds === undefined ? ' after the delay set on the device' : '';
  onSeenOff(`${name}/${outlet} reads off; ${name} turns it on automatically${when}`);
  // It was off before it was seen off, so it should be on by then.
  if (offSeconds !== undefined) await pause(offSeconds * 1000, signal);
  const withinMs = patience.withinMs + (offSeconds === undefined ? fixedOffMs : 0);
  const pace = offSeconds === undefined ? patience : quick;
  const on = await seeState(controller, outlet, 'on', { ...pace, withinMs }, signal);
  if (on.is === 'verified') return { is: 'cycled-natively', text: on.text };
  return { is: 'left-off', text: `${name} did not turn the outlet on in time: ${on.text}` };
}
