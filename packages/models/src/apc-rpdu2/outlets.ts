/**
 * APC switched rack PDU of the second generation (AP8900 and its family, AP8600 with a meter for each outlet), over SNMP.
 *
 *     pdu-1: { model: apc-rpdu2, address: 192.168.1.30, login: pdus, outlets: 24 }
 *
 * Proven against: Debian's snmpd (5.9.3) with these objects; own simulator, set by net-snmp's tools (5.9.3) through these
 * objects, and by fence_apc_snmp (4.12.1) through the older ones that such a PDU has, too. Hardware: none.
 *
 * Oddities. The command is 1 on, 2 off, the state beside it 1 off, 2 on. How long its own reboot is off is set on the device
 * (5 to 60 s); an outlet that is off is on afterwards. The object that sets all outlets at once has other numbers (1 on,
 * 3 off) in another table: what is written here always ends in an outlet's number. Outlets without a meter report -1 W, or
 * nothing. The login needs a community or user that may write; it reads with the same one.
 *
 * Source: PowerNet-MIB, rPDU2OutletSwitchedControlTable, rPDU2OutletSwitchedStatusTable, rPDU2OutletMeteredStatusTable.
 */

import { driverKind } from '../contract/outlets.ts';
import { snmpOutlets } from '../families/snmp-outlets.ts';

const outletGroup = '1.3.6.1.4.1.318.1.1.26.9';

export const outlets = driverKind({
  model: 'apc-rpdu2',
  experimental: false,
  create: (device, deps) =>
    snmpOutlets(device, deps, {
      /** rPDU2OutletSwitchedControlCommand. */
      command: { column: `${outletGroup}.2.4.1.5`, on: 1, off: 2, cycle: 3 },
      /** rPDU2OutletSwitchedStatusState. */
      state: { column: `${outletGroup}.2.3.1.5`, on: 2, off: 1 },
      /** rPDU2OutletMeteredStatusPower, in watts. */
      more: {
        column: `${outletGroup}.4.3.1.7`,
        optional: true,
        read: (watts = -1) => (watts >= 0 ? { watts } : {}),
      },
    }),
});
