/**
 * APC switched rack PDU of the first generation (AP7900 and its family), over SNMP.
 *
 *     pdu-1: { model: apc-rpdu, address: 192.168.1.30, login: pdus, outlets: 8 }
 *
 * Proven against: Debian's snmpd (5.9.3) with these objects; own simulator, whose same objects fence_apc_snmp (4.12.1) turned
 * off and on, read and listed. Hardware: none.
 *
 * Oddities. The login needs a community or user that may write; it reads with the same one. "Immediate reboot" may leave an
 * outlet off that was off before, so there is no cycle of its own: off, and on. The object that tells all outlets at once is
 * next to this one, with other numbers (2 on, 3 off): what is written here always ends in an outlet's number.
 *
 * Source: PowerNet-MIB, rPDUOutletControlTable and rPDUOutletStatusTable.
 */

import { snmpTo } from '@skolo/equipment/snmp';
import type { Device } from '../device.ts';
import { outletNumber } from '../families/outlet-name.ts';
import { meaningOf } from '../families/snmp-meaning.ts';
import type { DriverDeps, DriverKind, OutletState, PowerDriver } from '../outlets.ts';

export const outlets: DriverKind = { model: 'apc-rpdu', experimental: false, create };

const outletGroup = '1.3.6.1.4.1.318.1.1.12.3';
/** rPDUOutletControlOutletCommand. */
const command = { column: `${outletGroup}.3.1.1.4`, on: 1, off: 2 } as const;
/** rPDUOutletStatusOutletState. */
const stateColumn = `${outletGroup}.5.1.1.4`;
const states = new Map<number, OutletState>([
  [1, 'on'],
  [2, 'off'],
]);

function create(device: Device, deps: DriverDeps): PowerDriver {
  const snmp = snmpTo(device, deps);

  async function tell(outlet: string, value: number, signal: AbortSignal): Promise<void> {
    await snmp.write(`${command.column}.${outletNumber(device, outlet)}`, value, signal);
  }

  return {
    // One request of sixteen variables.
    readsAtOnce: 16,
    async read(outlets, signal) {
      const objects = outlets.map(
        (outlet) => [outlet, `${stateColumn}.${outletNumber(device, outlet)}`] as const,
      );
      const oids = objects.map(([, oid]) => oid);
      const numbers = await snmp.read(oids, [], signal);
      return new Map(
        objects.map(([outlet, oid]) => {
          return [outlet, { state: meaningOf(device.name, outlet, numbers.get(oid), states) }];
        }),
      );
    },
    turnOff: (outlet, signal) => tell(outlet, command.off, signal),
    turnOn: (outlet, _mode, signal) => tell(outlet, command.on, signal),
    close: async () => {},
  };
}
