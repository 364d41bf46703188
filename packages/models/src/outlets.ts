/**
 * What a driver is: how one model of equipment is told to turn an outlet on and off, and how it is asked. When to do so,
 * how often to try, what to journal and what counts as proven is decided once, elsewhere.
 */

import { type Access, DeviceRefused, type SessionDeps, type SessionPool } from '@skolo/equipment';
import type { Device } from './device.ts';
import { models } from './index.ts';

export type OutletState = 'on' | 'off';

/** An outlet as the device tells it. */
export interface OutletReading {
  /** What is set; `unknown` where the device cannot tell. Never guessed. */
  state: OutletState | 'unknown';
  /**
   * Whether power really flows where the device can tell it apart from what is set: PoE detection, a load. False with
   * `state: 'on'` means that nothing is plugged in, or that it does not draw power (yet).
   */
  delivering?: boolean;
  /** What the device calls a fault of the outlet while it is on: `Fault`, `short-circuit`. It then delivers no power. */
  fault?: string;
  /** Power drawn now. */
  watts?: number;
  /**
   * How it is on, for models with more than on and off (`48v`, `forced-on`, `static`): what `turnOn` is given to restore
   * it. Only read while it is on; absent while it is off.
   */
  mode?: string;
}

export interface PowerDriver {
  /**
   * Reads outlets, all in one session. Each that was asked for is in the answer, or it throws.
   *
   * @throws DeviceError
   */
  read(outlets: readonly string[], signal: AbortSignal): Promise<Map<string, OutletReading>>;
  /** So many outlets are read in one operation, where each takes a while of its own; absent: all of them. */
  readsAtOnce?: number;
  /** Turns one outlet off. Fulfilled once the device has taken the command; whether it did it is read back by the caller. */
  turnOff(outlet: string, signal: AbortSignal): Promise<void>;
  /** Turns one outlet on, in the mode it had. Without a mode: the usual one of the model. */
  turnOn(outlet: string, mode: string | undefined, signal: AbortSignal): Promise<void>;
  /** Where the device itself does off, wait and on. */
  nativeCycle?: NativeCycle;
  /** Ends what is kept open. */
  close(): Promise<void>;
}

export interface NativeCycle {
  /** How long off it can be told, `whole` seconds only or not; `fixed`: as long as is set on the device. */
  offSeconds: { least: number; most: number; whole?: true } | 'fixed';
  /**
   * Fulfilled once the device has taken the command, that is while the outlet is off, or even before.
   *
   * @throws CannotCycle Nothing was done. After any other DeviceError it may have been carried out.
   */
  run(outlet: string, offSeconds: number, signal: AbortSignal): Promise<void>;
}

/** What a driver gets with the device. */
export interface DriverDeps extends Access {
  /** One session to a device at a time, kept open for a moment. */
  sessions: SessionPool;
  /** Told which key exchange and cipher an ssh connection agreed on. */
  onConnected?: NonNullable<SessionDeps['onConnected']>;
}

/** What `outlets.ts` of a model exports. */
export interface DriverKind {
  /** The name of the model in rack.yaml. */
  model: string;
  /**
   * Whether only our own simulator has ever spoken to it: then it is never used for repair by itself. Where it depends
   * on the way to speak to the device, a function.
   */
  experimental: boolean | ((device: Device) => boolean);
  create(device: Device, deps: DriverDeps): PowerDriver;
}

/** The drivers of all models that switch power, by the name of the model. */
export async function loadDrivers(): Promise<ReadonlyMap<string, DriverKind>> {
  const drivers = new Map<string, DriverKind>();
  for (const { name, power } of models.values()) {
    if (power !== undefined) drivers.set(name, (await power.load()).outlets);
  }
  return drivers;
}

/**
 * The device does not cycle this outlet by itself, and nothing of the kind was told to it, or it said no in so many words.
 * The only failure of a device's own cycle after which somebody else may turn the outlet off and on: after any other, it
 * may have been carried out.
 */
export class CannotCycle extends DeviceRefused {}

/** What is refused here is refused before anything was done, or in so many words. */
export async function orCannotCycle<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DeviceRefused)) throw error;
    const { device, message } = error;
    throw new CannotCycle(device, message.slice(`${device}: `.length), { cause: error });
  }
}

/** How long a device leaves an outlet off by itself. */
export interface SecondsRange {
  least: number;
  most: number;
}

/** @throws CannotCycle The device cannot do so by itself. */
export function offSecondsWithin(
  device: string,
  offSeconds: number,
  { least, most }: SecondsRange,
): number {
  if (offSeconds >= least && offSeconds <= most) return offSeconds;
  const what = `it cycles outlets for ${least} to ${most} s, not for ${offSeconds} s`;
  throw new CannotCycle(device, what);
}
