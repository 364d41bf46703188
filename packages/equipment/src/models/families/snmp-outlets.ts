/** Outlets that are rows of an SNMP table: a column with the setting, and a column that changes it. */
import { snmpTo } from '@skolo/equipment/transports/snmp';
import type { Device } from '../contract/device.ts';
import type { DriverDeps, OutletDriver, OutletReading, OwnReport } from '../contract/outlets.ts';

interface SnmpOutlets {
  /** The index of an outlet's object in a column; default: its name. Written objects always end in it. */
  index?: (outlet: string) => string;
  command: { column: string; on: number; off: number; cycle?: number };
  state: { column: string; on: number; off: number };
  /** An additional column, which a device may lack, and its part of the reading. */
  more?: {
    column: string;
    read: (value: number | undefined, state: OutletReading['state']) => Partial<OutletReading>;
  };
  settings?: SettingColumns;
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

/** As many as fit into one request. Optional columns are requested apart. */
const readsAtOnce = 16;

export function snmpOutlets(
  device: Device,
  deps: DriverDeps,
  { index = (outlet) => outlet, command, state, more, settings }: SnmpOutlets,
): OutletDriver<string> {
  const snmp = snmpTo(device, deps);

  async function write(key: string, value: number, signal: AbortSignal): Promise<void> {
    await snmp.write(`${command.column}.${key}`, value, signal);
  }

  function stateOf(value: number | undefined): OutletReading['state'] {
    if (value === state.on) return 'on';
    return value === state.off ? 'off' : 'unknown';
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
      const states = keys.map((key) => `${state.column}.${key}`);
      const others = more ? keys.map((key) => `${more.column}.${key}`) : [];
      const values = await snmp.read(states, others, signal);
      return (key) => {
        const own = stateOf(values.get(`${state.column}.${key}`));
        return { state: own, ...more?.read(values.get(`${more.column}.${key}`), own) };
      };
    },
    set: (key, on, signal) => write(key, command[on], signal),
    ...(command.cycle !== undefined && {
      cycle: {
        offSeconds: 'fixed',
        run: (key, _, signal) => write(key, command.cycle ?? 0, signal),
      },
    }),
  };
}
