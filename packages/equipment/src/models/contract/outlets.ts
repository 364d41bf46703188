/**
 * The contract of a driver: turns outlets of one model on and off, and reads them. The caller decides when to do so, how often to retry,
 * what to journal and what counts as verified.
 */

import { setImmediate } from 'node:timers/promises';
import { orAborted, withDeadline } from '@skolo/base';
import { isTimeOver, SlowExpression, sharingTime } from '@skolo/base/described-expression';
import {
  type Access,
  DeviceRejected,
  DeviceTimeout,
  type DialDatagrams,
  HostKeyChanged,
  type Recorded,
  type SessionDeps,
  type SessionPool,
  SignInRejected,
} from '@skolo/equipment/transports';
import type { Device } from './device.ts';

export type OutletState = 'on' | 'off';

/** An outlet as the device reports it. */
export interface OutletReading {
  /** The setting; `unknown` if the device cannot report it. Never guessed. */
  state: OutletState | 'unknown';
  /**
   * Whether power really flows, if the device reports it separately from the setting: PoE detection, a load. False with `state: 'on'` means
   * that nothing is plugged in, or that it does not draw power (yet).
   */
  delivering?: boolean | undefined;
  /** The device's term for a fault of the outlet while it is on: `Fault`, `short-circuit`. It then delivers no power. */
  fault?: string | undefined;
  /** Power drawn now. */
  watts?: number | undefined;
  /**
   * The mode in which it is on, for models with more than on and off (`48v`, `forced-on`, `static`): passed to `turnOn` to restore it. Only
   * read while it is on; undefined while it is off.
   */
  mode?: string | undefined;
  /**
   * What the command that turns it on needs besides its name, for models that look it up: a path, an ID. Read while it is known, recorded
   * before the outlet is turned off, and passed to `turnOn`, which then depends on no reading.
   */
  via?: string | undefined;
}

/** Settings of an outlet on the device itself, which also have an effect without skolo. */
export interface OutletSettings {
  /** Its name on the device. */
  name?: string | undefined;
  /** Why it stays off after a power failure: `PowerOnState is 0`. Undefined: it gets power again. */
  staysOff?: string | undefined;
  /** Off time of the device's own cycle, if commands cannot set it. */
  cycleSeconds?: number | undefined;
}

/** What a device reports about itself, besides the states of its outlets. */
export interface DeviceReport {
  hardware?: string | undefined;
  firmware?: string | undefined;
  /** Why switching an outlet may move others: `Interlock is ON for relays 1,2`. */
  linked?: string | undefined;
  outlets: ReadonlyMap<string, OutletSettings>;
}

export interface PowerDriver {
  /**
   * Reads outlets, all in one session. Returns each requested one, or throws.
   *
   * @throws DeviceError
   */
  read(outlets: readonly string[], signal: AbortSignal): Promise<Map<string, OutletReading>>;
  /** Number of outlets to read in one operation, if each takes a while; absent: all. */
  readsAtOnce?: number;
  /**
   * Turns one outlet off. Resolves once the device has accepted the command; the caller reads back whether it worked.
   *
   * @param alone no other USB port that is switched together with it
   */
  turnOff(outlet: string, signal: AbortSignal, alone?: true): Promise<void>;
  /**
   * Turns one outlet on, in its previous mode. Without a mode: the model's default. The command is sent whatever a reading shows, or if it
   * shows nothing (`readBriefly`).
   *
   * @param how as it was read before; without `via`, and if it cannot be read now: the model's default
   */
  turnOn(
    outlet: string,
    how: Pick<OutletReading, 'mode' | 'via'>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Present if the device performs off, wait and on by itself. */
  nativeCycle?: NativeCycle;
  /** Reads its model and settings; absent: the driver cannot. Changes nothing. @throws DeviceError */
  report?(outlets: readonly string[], signal: AbortSignal): Promise<DeviceReport>;
  /** Closes everything that is kept open. */
  close(): Promise<void>;
}

export interface NativeCycle {
  /** Off times that it accepts, only `whole` seconds or any; `fixed`: the time set on the device. */
  offSeconds: { least: number; most: number; whole?: true } | 'fixed';
  /**
   * Resolves once the device has accepted the command, while the outlet is off or even before.
   *
   * @throws CannotCycle Nothing was done. After any other DeviceError, it may have been carried out.
   */
  run(outlet: string, offSeconds: number, signal: AbortSignal): Promise<void>;
}

/** Dependencies of a driver. */
export interface DriverDeps extends Access, Recorded {
  /** One session to a device at a time, kept open for a moment. */
  sessions: SessionPool;
  /** Called with the key exchange and cipher that an ssh connection negotiated. */
  onConnected?: NonNullable<SessionDeps['onConnected']>;
  /** Only for ssh, telnet and HTTP. */
  dial?: NonNullable<SessionDeps['dial']>;
  /** Only for SNMP. */
  datagrams?: DialDatagrams;
}

/** The driver of a model. */
export interface DriverKind {
  /** The name of the model in rack.yaml. */
  model: string;
  /**
   * Whether automatic repair may use it: only if other software has sent all of its commands to the device or its simulator, or if the
   * model is `proven`. It is not derived from the level, so that a contributed evidence file does not make racks act. A function if it depends on options.
   */
  automaticRepair: boolean | ((device: Device) => boolean);
  create(device: Device, deps: DriverDeps): PowerDriver;
}

/** The canonical name of a device's outlet; undefined if the device has no such outlet. */
type FindOutlet = (outlet: string) => string | undefined;

/** What a model exports as `outlets`; `driverKind` makes it. */
export interface ModelOutlets extends Omit<DriverKind, 'create'> {
  create(device: Device, deps: DriverDeps, find: FindOutlet): PowerDriver;
}

/**
 * The device does not cycle this outlet by itself, and no such command was sent, or it was explicitly rejected. Only after this failure of
 * a device's own cycle may the caller turn the outlet off and on: after any other, it may have been carried out.
 */
export class CannotCycle extends DeviceRejected {}

/** A rejection at this point precedes any effect, or is explicit. */
export async function orCannotCycle<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DeviceRejected)) throw error;
    const { device, message } = error;
    throw new CannotCycle(device, message.slice(`${device}: `.length), { cause: error });
  }
}

/**
 * Builds a driver from the parts that differ between models: how to write an outlet, how to read all, how to set one.
 *
 * @typeParam K how commands and answers name an outlet: a number, a port
 */
export interface OutletDriver<K> {
  /** Gets canonical names of existing outlets. */
  key: (outlet: string) => K;
  readsAtOnce?: number;
  /** Requests all of them; returns a function that gives each one's reading. */
  read: (keys: readonly K[], signal: AbortSignal) => Promise<(key: K) => OutletReading>;
  /** `mode`: the previous mode, if it is known and `isMode` accepts it. `via`: as in `OutletReading`, to turn it on. */
  set: (
    key: K,
    state: OutletState,
    signal: AbortSignal,
    mode?: string,
    via?: string,
  ) => Promise<void>;
  /** The modes in which it can be turned on; absent: it has none. */
  isMode?: (mode: string) => boolean;
  /** The device's own cycle. `run` gets a checked time. */
  cycle?: {
    offSeconds: NativeCycle['offSeconds'];
    run: (key: K, offSeconds: number, signal: AbortSignal) => Promise<unknown>;
  };
  /** Reads its model and settings; `of` gives those of an outlet. */
  report?: (keys: readonly K[], signal: AbortSignal) => Promise<OwnReport<K>>;
}

export interface OwnReport<K> extends Omit<DeviceReport, 'outlets'> {
  of: (key: K) => OutletSettings;
}

interface OutletDriverKind<K> extends Omit<DriverKind, 'create'> {
  create(device: Device, deps: DriverDeps): OutletDriver<K>;
}

/** Outlets are checked against the facts of the model before they become part of a command. */
export function driverKind<K>({ create, ...about }: OutletDriverKind<K>): ModelOutlets {
  return {
    ...about,
    create(device, deps, find) {
      const own = create(device, deps);
      const key = (outlet: string) => own.key(found(device.name, outlet, find));
      return {
        ...outletDriver(device.name, { ...own, key }),
        close: () => deps.sessions.end(device.name),
      };
    },
  };
}

/** @throws DeviceRejected The device has no such outlet. */
function found(device: string, outlet: string, find: FindOutlet): string {
  const name = find(outlet);
  // In a path, a name of only dots leads elsewhere.
  if (name !== undefined && !/^\.+$/.test(name)) return name;
  throw new DeviceRejected(device, `no outlet ${JSON.stringify(outlet)}`);
}

export function outletDriver<K>(name: string, model: OutletDriver<K>): PowerDriver {
  const { key, readsAtOnce, read, set, isMode, cycle, report } = model;
  /** Checks all of them before any request. */
  const keysOf = (outlets: readonly string[]) => new Map(outlets.map((each) => [each, key(each)]));
  return {
    ...(readsAtOnce !== undefined && { readsAtOnce }),
    async read(outlets, signal) {
      const keys = keysOf(outlets);
      if (keys.size === 0) return new Map();
      const own = [...keys.values()];
      const readAll = async () => await readEach(own, await read(own, signal));
      const readings = await sharingTime({ leftMs: mostSearchMs }, readAll).catch(
        (error: unknown) => {
          throw error instanceof SlowExpression ? tooSlow(name, own.length, error) : error;
        },
      );
      return new Map([...keys].map(([outlet, each]) => [outlet, readings.get(each) ?? unknown]));
    },
    turnOff: async (outlet, signal) => set(key(outlet), 'off', signal),
    async turnOn(outlet, { mode, via }, signal) {
      const known = isMode === undefined ? undefined : mode;
      if (known !== undefined && !isMode?.(known))
        throw new DeviceRejected(name, `the outlet cannot be turned on in mode ${known}`);
      await set(key(outlet), 'on', signal, known, via);
    },
    ...(cycle && {
      nativeCycle: {
        offSeconds: cycle.offSeconds,
        async run(outlet, offSeconds, signal) {
          const own = key(outlet);
          checkOffSeconds(name, offSeconds, cycle.offSeconds);
          await cycle.run(own, offSeconds, signal);
        },
      },
    }),
    ...(report && {
      async report(outlets, signal) {
        const keys = keysOf(outlets);
        const { of, ...about } = await report([...keys.values()], signal);
        return {
          ...about,
          outlets: new Map([...keys].map(([outlet, each]) => [outlet, of(each)])),
        };
      },
    }),
    close: async () => undefined,
  };
}

/** @throws CannotCycle The device's own cycle does not support this off time. */
function checkOffSeconds(device: string, asked: number, range: NativeCycle['offSeconds']): void {
  if (range === 'fixed') return;
  const { least, most, whole = false } = range;
  if (asked >= least && asked <= most && (!whole || Number.isInteger(asked))) return;
  throw new CannotCycle(
    device,
    `does not support an off time of ${asked} s, only ${least} to ${most} s${whole ? ' (whole seconds)' : ''}`,
  );
}

/** CPU time of the regular expressions that find the states of all outlets of a device, in one response or several. */
const mostSearchMs = 2000;

function tooSlow(name: string, outlets: number, error: SlowExpression) {
  const whose = outlets === 1 ? 'an outlet' : `${outlets} outlets`;
  const what = `finding the state of ${whose} takes too long: in \`read\`, ${error.message}`;
  return new DeviceRejected(name, what, { cause: error });
}

/** For a device that is read outlet by outlet. */
export function oneByOne<K>(
  readOne: (key: K, signal: AbortSignal) => Promise<OutletReading>,
): OutletDriver<K>['read'] {
  return async (keys, signal) => {
    const readings = await readEach(keys, (key) => readOne(key, signal));
    return (key) => readings.get(key) ?? unknown;
  };
}

const unknown: OutletReading = { state: 'unknown' };

/**
 * An outlet that cannot be read is unknown, if another one can be read.
 *
 * @throws DeviceRejected, SlowExpression None can be read, for the first one's reason.
 * @throws SlowExpression The time of all is over.
 */
async function readEach<K>(
  keys: readonly K[],
  readOne: (key: K) => OutletReading | Promise<OutletReading>,
): Promise<Map<K, OutletReading>> {
  const readings = new Map<K, OutletReading>();
  const failures: (DeviceRejected | SlowExpression)[] = [];
  for (const key of keys) {
    try {
      readings.set(key, await readOne(key));
    } catch (error) {
      const isOfOne = error instanceof SlowExpression && !isTimeOver();
      if (!(error instanceof DeviceRejected || isOfOne)) throw error;
      failures.push(error);
    }
    // One outlet in each turn of the event loop.
    await setImmediate();
  }
  if (readings.size === 0 && failures[0]) throw failures[0];
  return readings;
}

const mostReadingMs = 5000;

/**
 * A reading before an outlet is turned on, which does not depend on it: undefined if it fails, or takes longer than 5 s. Only after a
 * rejected sign-in, or with another host key, nothing else may be sent.
 *
 * @param read may ignore its signal where aborting it would end the session that the command needs
 */
export async function readBriefly<T>(
  device: string,
  signal: AbortSignal,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const late = () => new DeviceTimeout(device, `no reading within ${mostReadingMs / 1000} s`);
  const within = { ms: mostReadingMs, late, signal };
  try {
    return await withDeadline(within, (limit) => orAborted(read(limit), limit));
  } catch (error) {
    if (signal.aborted || error instanceof SignInRejected || error instanceof HostKeyChanged)
      throw error;
    return undefined;
  }
}
