/** Turning outlets off and on, and not believing it before it has been read back. */
import { errorText, pause } from '@skolo/common';
import { DeviceError } from '@skolo/equipment';
import { CannotCycle, type OutletReading, type OutletState } from '@skolo/models/outlets';
import { type Controller, isOff } from './controller.ts';

/** Pauses between readings, and how long a device has until it shows what it was told. Milliseconds. */
export interface Patience {
  firstMs: number;
  mostMs: number;
  withinMs: number;
}

/** PoE ports need a second or so until they show what they were told; a slow PDU needs some. */
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
  const name = `${controller.name}/${outlet}`;
  let wait = patience.firstMs;
  for (;;) {
    const { seen, text, reading } = await look(controller, outlet, state);
    signal.throwIfAborted();
    if (seen && reading !== undefined)
      return { is: 'proven', reading, text: `${name} seen ${state}` };
    if (performance.now() + wait > end) return { is: 'not', text };
    await pause(wait, signal);
    wait = Math.min(wait * 2, patience.mostMs);
  }
}

async function look(
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
  { tries, patience }: { tries: number; patience: Patience },
  signal: AbortSignal,
): Promise<Proof> {
  const reasons: string[] = [];
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    signal.throwIfAborted();
    let refusal: DeviceError | undefined;
    try {
      await controller.turnOff(outlet);
    } catch (error) {
      // The answer may have been lost and not the command: the reading tells.
      reasons.push(errorText(error));
      if (error instanceof DeviceError && !error.retry) refusal = error;
    }
    const proof = await seeState(controller, outlet, 'off', patience, signal);
    if (proof.is === 'proven') return proof;
    reasons.push(proof.text);
    if (refusal !== undefined) break;
  }
  return { is: 'not', text: `not seen off: ${[...new Set(reasons)].join('; ')}` };
}

/**
 * One attempt to have it on; one that is on already is left alone. But where an off may still be on its way (`isInDoubt`)
 * it is told all the same, and only believed once the device has taken that: it carries out one after the other.
 */
export async function turnOn(
  controller: Controller,
  outlet: string,
  { mode, isInDoubt = false }: { mode: string | undefined; isInDoubt?: boolean },
  patience: Patience,
  signal: AbortSignal,
): Promise<Proof> {
  const before = await look(controller, outlet, 'on');
  signal.throwIfAborted();
  if (before.seen && before.reading !== undefined && !isInDoubt) {
    return { is: 'proven', reading: before.reading, text: `${controller.name}/${outlet} seen on` };
  }
  let why: string | undefined;
  let isTaken = true;
  try {
    await controller.turnOn(outlet, before.reading?.mode ?? mode);
  } catch (error) {
    why = errorText(error);
    isTaken = error instanceof DeviceError && !error.retry;
  }
  const proof = await seeState(controller, outlet, 'on', patience, signal);
  if (proof.is === 'proven' && (isTaken || !isInDoubt)) {
    return { ...proof, wasOff: before.reading?.state === 'off' };
  }
  return { is: 'not', text: [why, proof.text].filter((text) => text !== undefined).join('; ') };
}

/** The device's own cycle, watched from off to on. */
export type NativeOutcome =
  | { is: 'cycled'; text: string }
  | { is: 'left-off'; text: string }
  /** `isRefused`: the device said no, so that it was not off either. */
  | { is: 'not-seen-off'; isRefused: boolean; text: string };

export interface NativeOptions {
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
    return { is: 'not-seen-off', isRefused: true, text: errorText(failure) };
  }
  if (!seenOff) {
    const off = await seeState(controller, outlet, 'off', quick, signal);
    if (off.is === 'not') {
      // It is not sent again: it may have been carried out.
      const why = failure === undefined ? [] : [errorText(failure)];
      return {
        is: 'not-seen-off',
        isRefused: false,
        text: [...why, `${off.text}; never seen off`].join('; '),
      };
    }
  }
  const when = offSeconds === undefined ? ', after the time that is set on it' : '';
  onSeenOff(
    `${controller.name}/${outlet} seen off; ${controller.name} turns it on by itself${when}`,
  );
  // It was off for a moment before it was seen off, and is asked in time for that.
  if (offSeconds !== undefined)
    await pause(Math.max(0, offSeconds * 1000 - patience.mostMs), signal);
  const withinMs = patience.withinMs + (offSeconds === undefined ? fixedOffMs : patience.mostMs);
  const pace = offSeconds === undefined ? patience : quick;
  const on = await seeState(controller, outlet, 'on', { ...pace, withinMs }, signal);
  return on.is === 'proven'
    ? { is: 'cycled', text: on.text }
    : { is: 'left-off', text: `${controller.name} did not turn it on in time: ${on.text}` };
}
