/**
 * APC switched rack PDU of the first generation (AP7900 and its family), over SNMP.
 *
 *     pdu-1: { model: apc-rpdu, address: 192.168.1.30, login: pdus, outlets: 8 }
 *
 * Verified with: Debian's snmpd (5.9.3) with these objects; our simulator, with which fence_apc_snmp (4.12.1) turned outlets off and on,
 * read and listed them through the same objects; what an AP7900 answered.
 *
 * Quirks. Switching requires a community or user with write access. "Immediate reboot" may leave an
 * outlet off that was off before, so the driver sends off and on separately. The object that sets all outlets at once is next to this one,
 * with other numbers (2 on, 3 off): objects written here always end in an outlet's number.
 *
 * Source: PowerNet-MIB 4.2.6, rPDUOutletDevice, rPDUOutletControlTable, rPDUOutletConfigTable and rPDUOutletStatusTable. It has no object
 * for outlet groups, which exist in the menus only.
 */
import { driverKind } from '../contract/outlets.ts';
import { snmpOutlets } from '../families/snmp-outlets.ts';

const outletGroup = '1.3.6.1.4.1.318.1.1.12.3';
/** rPDUOutletControlOutletCommand. */
const command = `${outletGroup}.3.1.1.4.{outlet}`;

export const outlets = driverKind({
  model: 'apc-rpdu',
  automaticRepair: true,
  create: (device, deps) =>
    snmpOutlets(device, deps, {
      on: { object: command, value: 1 },
      off: { object: command, value: 2 },
      /** rPDUOutletStatusOutletState. */
      read: { object: `${outletGroup}.5.1.1.4.{outlet}`, on: [1], off: [2] },
      /** rPDUOutletDevColdstartDelay, rPDUOutletConfigPowerOnTime, rPDUOutletConfigOutletName. */
      settings: {
        coldStartDelay: `${outletGroup}.1.2`,
        powerOnDelay: `${outletGroup}.4.1.1.4`,
        name: `${outletGroup}.4.1.1.2`,
      },
    }),
});

export { backup } from '../families/apc-card-backup.ts';
