/**
 * APC switched rack PDU of the second generation (AP8900 and its family, AP8600 with a meter for each outlet), over SNMP.
 *
 *     pdu-1: { model: apc-rpdu2, address: 192.168.1.30, login: pdus, outlets: 24 }
 *
 * Verified with: Debian's snmpd (5.9.3) with these objects; our simulator, set by net-snmp's tools (5.9.3) through these objects, and by
 * fence_apc_snmp (4.12.1) through the older ones that such a PDU also has.
 *
 * Quirks. The command is 1 on, 2 off, but the state next to it is 1 off, 2 on. The off time of its own reboot is set on the device (5 to
 * 60 s); afterwards an outlet is on even if it was off before. The object that sets all outlets at once has other numbers (1 on, 3 off) in
 * another table: objects written here always end in an outlet's number. Outlets without a meter report -1 W, or nothing. Switching
 * requires a community or user with write access.
 *
 * Source: PowerNet-MIB 4.2.6, rPDU2DeviceConfigTable, rPDU2OutletSwitchedConfigTable, rPDU2OutletSwitchedControlTable,
 * rPDU2OutletSwitchedStatusTable, rPDU2OutletMeteredStatusTable. It has no object for outlet groups, which the card's web page shows.
 */

import { driverKind } from '../contract/outlets.ts';
import { snmpOutlets, wattsAt } from '../families/snmp-outlets.ts';

const powerNet = '1.3.6.1.4.1.318.1.1.26';
const outletGroup = `${powerNet}.9`;
/** rPDU2OutletSwitchedControlCommand. */
const command = `${outletGroup}.2.4.1.5.{outlet}`;

export const outlets = driverKind({
  model: 'apc-rpdu2',
  automaticRepair: true,
  create: (device, deps) =>
    snmpOutlets(device, deps, {
      on: { object: command, value: 1 },
      off: { object: command, value: 2 },
      cycle: { object: command, value: 3 },
      /** rPDU2OutletSwitchedStatusState. */
      read: { object: `${outletGroup}.2.3.1.5.{outlet}`, on: [2], off: [1] },
      /** rPDU2OutletMeteredStatusPower, in watts. */
      more: wattsAt(`${outletGroup}.4.3.1.7.{outlet}`),
      /** rPDU2DeviceConfigColdstartDelay; rPDU2OutletSwitchedConfigPowerOnTime, -Name and -RebootDuration. */
      settings: {
        coldStartDelay: `${powerNet}.4.1.1.6`,
        powerOnDelay: `${outletGroup}.2.1.1.5`,
        name: `${outletGroup}.2.1.1.3`,
        cycleSeconds: `${outletGroup}.2.1.1.7`,
      },
    }),
});

export { backup } from '../families/apc-card-backup.ts';
