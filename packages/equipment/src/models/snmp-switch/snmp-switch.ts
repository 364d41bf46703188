/**
 * Anything that is switched by setting SNMP objects, described in rack.yaml or by a table in `../described`.
 *
 *     pdu-1:
 *       model: snmp-switch
 *       address: 192.168.1.30
 *       login: pdus
 *       outlets: 8
 *       on: { object: '1.3.6.1.4.1.318.1.1.4.4.2.1.3.{outlet}', value: 1 }
 *       off: { object: '1.3.6.1.4.1.318.1.1.4.4.2.1.3.{outlet}', value: 2 }
 *       read: { object: '1.3.6.1.4.1.318.1.1.4.4.2.1.3.{outlet}', on: [1], off: [2], isSetting: true }
 *
 * Verified with: Debian's snmpd (5.9.3) with the objects of each table; the drivers of fence-agents and labgrid switch the same outlets.
 *
 * Quirks. All outlets are read in few requests. A reading of less than 0 W means that the outlet has no meter.
 */
import { z } from 'zod';
import { driverKind, type OutletDriver } from '../contract/outlets.ts';
import { snmpOutlets, wattsAt } from '../families/snmp-outlets.ts';
import { snmpSwitch } from './facts.ts';

export const outlets = driverKind({
  model: 'snmp-switch',
  automaticRepair: false,
  create(device, deps): OutletDriver<string> {
    const { on, off, read, watts } = z.object(snmpSwitch.options).parse(device.options);
    const more = watts !== undefined && { more: wattsAt(watts) };
    return snmpOutlets(device, deps, { on, off, read, ...more });
  },
});
