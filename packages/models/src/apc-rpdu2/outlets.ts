/**
 * APC switched rack PDU of the second generation (AP8900 and its family, AP8600 with a meter for each outlet), over SNMP.
 *
 *     pdu-1: { model: apc-rpdu2, address: 192.168.1.30, login: pdus, outlets: 24 }
 *
 * Proven against: Debian's snmpd (5.9.3) with these objects; own simulator, told by net-snmp's tools (5.9.3) by these
 * objects, and by fence_apc_snmp (4.12.1) by the older ones that such a PDU has, too. Hardware: none.
 *
 * Oddities. The command is 1 on, 2 off, the state beside it 1 off, 2 on. How long its own reboot is off is set on the device
 * (5 to 60 s); an outlet that is off is on afterwards. The object that tells all outlets at once has other numbers (1 on,
 * 3 off) in another table: what is written here always ends in an outlet's number. Outlets without a meter tell -1 W, or
 * nothing. The login needs a community or user that may write; it reads with the same one.
 *
 * Source: PowerNet-MIB, rPDU2OutletSwitchedControlTable, rPDU2OutletSwitchedStatusTable, rPDU2OutletMeteredStatusTable.
 */

import { snmpTo } from '@skolo/equipment/snmp';
import type { Device } from '../device.ts';
import { outletNumber } from '../families/outlet-name.ts';
import { meaningOf } from '../families/snmp-meaning.ts';
import type { DriverDeps, DriverKind, OutletState, PowerDriver } from '../outlets.ts';

export const outlets: DriverKind = { model: 'apc-rpdu2', experimental: false, create };

const outletGroup = '1.3.6.1.4.1.318.1.1.26.9';
/** rPDU2OutletSwitchedControlCommand. */
const command = { column: `${outletGroup}.2.4.1.5`, on: 1, off: 2, reboot: 3 } as const;
/** rPDU2OutletSwitchedStatusState. */
const stateColumn = `${outletGroup}.2.3.1.5`;
const states = new Map<number, OutletState>([
  [1, 'off'],
  [2, 'on'],
]);
/** rPDU2OutletMeteredStatusPower, in watts. */
const powerColumn = `${outletGroup}.4.3.1.7`;

function create(device: Device, deps: DriverDeps): PowerDriver {
  const snmp = snmpTo(device, deps);

  async function tell(outlet: string, value: number, signal: AbortSignal): Promise<void> {
    await snmp.write(`${command.column}.${outletNumber(device, outlet)}`, value, signal);
  }

  return {
    // One request of sixteen variables.
    readsAtOnce: 8,
    async read(outlets, signal) {
      const rows = outlets.map((outlet) => {
        const number = outletNumber(device, outlet);
        return { outlet, state: `${stateColumn}.${number}`, power: `${powerColumn}.${number}` };
      });
      const [oids, maybe] = [rows.map(({ state }) => state), rows.map(({ power }) => power)];
      const numbers = await snmp.read(oids, maybe, signal);
      return new Map(
        rows.map(({ outlet, ...row }) => {
          const state = meaningOf(device.name, outlet, numbers.get(row.state), states);
          const watts = numbers.get(row.power) ?? -1;
          return [outlet, { state, ...(watts >= 0 && { watts }) }];
        }),
      );
    },
    turnOff: (outlet, signal) => tell(outlet, command.off, signal),
    turnOn: (outlet, _mode, signal) => tell(outlet, command.on, signal),
    nativeCycle: {
      offSeconds: 'fixed',
      run: (outlet, _offSeconds, signal) => tell(outlet, command.reboot, signal),
    },
    close: async () => {},
  };
}
