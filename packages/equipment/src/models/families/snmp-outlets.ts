/** Outlets that SNMP objects set and read. */
import { type SnmpValue, snmpTo } from '@skolo/equipment/transports/snmp';
import type { Device } from '../contract/device.ts';
import type { DriverDeps, OutletDriver, OutletReading, OwnReport } from '../contract/outlets.ts';
import { fillOutlet } from './described-facts.ts';

/** In the names of objects, `{outlet}` is the outlet's index, and `{outlet-1}` and `{outlet+1}` are the numbers beside it. */
interface SnmpOutlets {
  on: Command;
  off: Command;
  cycle?: Command;
  /** Any other value is no state. */
  read: { object: string; on: readonly SnmpValue[]; off: readonly SnmpValue[] };
  /** An additional object, which a device may lack, and its part of the reading. */
  more?: {
    object: string;
    read: (value: number | undefined, state: OutletReading['state']) => Partial<OutletReading>;
  };
  settings?: SettingColumns;
  /** Default: an outlet's index is its name. */
  index?: (outlet: string) => string;
}

interface Command {
  object: string;
  value: SnmpValue;
}

/** Columns of settings, each with a row for each outlet. Delays are in seconds; -1 is never. */
interface SettingColumns {
  /** Of the device, not of an outlet: from the return of mains until it supplies any outlet. */
  coldStartDelay: string;
  /** From then until it supplies this outlet. */
  powerOnDelay: string;
  name: string;
  cycleSeconds?: string;
}

/** The power in watts. A reading of less than 0 W means that the outlet has no meter. */
export function wattsAt(object: string): NonNullable<SnmpOutlets['more']> {
  return { object, read: (watts = -1) => (watts >= 0 ? { watts } : {}) };
}

/** As many as fit into one request. Optional columns are requested apart. */
const readsAtOnce = 16;

export function snmpOutlets(
  device: Device,
  deps: DriverDeps,
  { index = (outlet) => outlet, on, off, cycle, read, more, settings }: SnmpOutlets,
): OutletDriver<string> {
  const snmp = snmpTo(device, deps);

  async function send({ object, value }: Command, key: string, signal: AbortSignal): Promise<void> {
    await snmp.write(fillOutlet(object, key), value, signal);
  }

  function stateOf(value: SnmpValue = Number.NaN): OutletReading['state'] {
    if (read.on.includes(value)) return 'on';
    return read.off.includes(value) ? 'off' : 'unknown';
  }

  async function report(
    { coldStartDelay, powerOnDelay, name, cycleSeconds }: SettingColumns,
    signal: AbortSignal,
  ): Promise<OwnReport<string>> {
    const starts = [...(await snmp.walk(coldStartDelay, signal)).values()];
    const delays = await snmp.walk(powerOnDelay, signal);
    const names = await snmp.walk(name, signal);
    const cycles = cycleSeconds === undefined ? undefined : await snmp.walk(cycleSeconds, signal);
    return {
      of(key) {
        const [label, seconds] = [names.get(key), cycles?.get(key)];
        const never = starts.includes(-1)
          ? 'cold start'
          : delays.get(key) === -1
            ? 'power-on'
            : undefined;
        return {
          name: Buffer.isBuffer(label) ? label.toString() : undefined,
          staysOff: never && `the ${never} delay is "never"`,
          cycleSeconds: typeof seconds === 'number' ? seconds : undefined,
        };
      },
    };
  }

  return {
    key: index,
    ...(settings && { report: (_, signal) => report(settings, signal) }),
    readsAtOnce,
    async read(keys, signal) {
      const others = more ? keys.map((key) => fillOutlet(more.object, key)) : [];
      const states = keys.map((key) => fillOutlet(read.object, key));
      const values = await snmp.read(states, others, signal);
      return (key) => {
        const state = stateOf(values.get(fillOutlet(read.object, key)));
        const value = more && values.get(fillOutlet(more.object, key));
        return { state, ...more?.read(typeof value === 'number' ? value : undefined, state) };
      };
    },
    set: (key, state, signal) => send(state === 'on' ? on : off, key, signal),
    ...(cycle && {
      cycle: { offSeconds: 'fixed', run: (key, _, signal) => send(cycle, key, signal) },
    }),
  };
}
