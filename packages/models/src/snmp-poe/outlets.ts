/**
 * Any switch that feeds its ports by PoE and has POWER-ETHERNET-MIB (RFC 3621).
 *
 *     switch-3: { model: snmp-poe, address: 192.168.1.13, login: switches-snmp, portCount: 24, groups: 2 }
 *
 * Proven against: Debian's snmpd (5.9.3) with these objects; own simulator, told by net-snmp's tools (5.9.3). Hardware: none.
 *
 * Oddities. Some switches take longer to apply a setting than a client waits (net-snmp issue 194, Netgear GS724TP): the
 * command fails, the port is off all the same, and the reading tells. A port that is on delivers only a second or more later.
 * Ports are counted as this table does, which on some switches is not as their labels do: groups are slots, or members of a
 * stack. Watts of a port are not in the standard. The setting is lost with the switch's power unless somebody saves it.
 */
import { DeviceRefused } from '@skolo/equipment';
import { snmpTo } from '@skolo/equipment/snmp';
import type { Device } from '../device.ts';
import { outletName } from '../families/outlet-name.ts';
import { meaningOf } from '../families/snmp-meaning.ts';
import type { DriverDeps, DriverKind, OutletState, PowerDriver } from '../outlets.ts';

export const outlets: DriverKind = { model: 'snmp-poe', experimental: false, create };

const portTable = '1.3.6.1.2.1.105.1.1.1';
/** pethPsePortAdminEnable: a TruthValue. */
const admin = { column: `${portTable}.3`, on: 1, off: 2 } as const;
const states = new Map<number, OutletState>([
  [admin.on, 'on'],
  [admin.off, 'off'],
]);
/** pethPsePortDetectionStatus. */
const detectionColumn = `${portTable}.6`;
const deliveringPower = 3;
const faults = new Map([
  [4, 'fault'],
  [6, 'otherFault'],
]);

function create(device: Device, deps: DriverDeps): PowerDriver {
  const snmp = snmpTo(device, deps);

  /** `14` is port 14 of group 1, `2.14` of group 2. */
  function indexOf(outlet: string): string {
    const name = outletName(device, outlet);
    const [, group = '1', port] = /^(?:([1-9])\.)?([1-9]\d{0,3})$/.exec(name) ?? [];
    if (port === undefined) throw new DeviceRefused(device.name, `no outlet ${name}`);
    return `${group}.${port}`;
  }

  async function tell(outlet: string, value: number, signal: AbortSignal): Promise<void> {
    await snmp.write(`${admin.column}.${indexOf(outlet)}`, value, signal);
  }

  return {
    // One request of sixteen variables.
    readsAtOnce: 8,
    async read(outlets, signal) {
      const rows = outlets.map((outlet) => {
        const index = indexOf(outlet);
        return {
          outlet,
          set: `${admin.column}.${index}`,
          detected: `${detectionColumn}.${index}`,
        };
      });
      const oids = rows.flatMap(({ set, detected }) => [set, detected]);
      const numbers = await snmp.read(oids, [], signal);
      return new Map(
        rows.map(({ outlet, set, detected }) => {
          const state = meaningOf(device.name, outlet, numbers.get(set), states);
          const detection = numbers.get(detected) ?? 0;
          const fault = state === 'on' ? faults.get(detection) : undefined;
          const delivering = detection === deliveringPower;
          return [outlet, { state, delivering, ...(fault !== undefined && { fault }) }];
        }),
      );
    },
    turnOff: (outlet, signal) => tell(outlet, admin.off, signal),
    turnOn: (outlet, _mode, signal) => tell(outlet, admin.on, signal),
    close: async () => {},
  };
}
