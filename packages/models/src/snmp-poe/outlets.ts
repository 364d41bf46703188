/**
 * Any switch that feeds its ports by PoE and has POWER-ETHERNET-MIB (RFC 3621).
 *
 *     switch-3: { model: snmp-poe, address: 192.168.1.13, login: switches-snmp, portCount: 24, groups: 2 }
 *
 * Proven against: Debian's snmpd (5.9.3) with these objects; own simulator, set by net-snmp's tools (5.9.3). Hardware: none.
 *
 * Oddities. Some switches take longer to apply a setting than a client waits (net-snmp issue 194, Netgear GS724TP): the
 * command fails, the port is off all the same, and the reading shows it. A port that is on delivers only a second or more later.
 * Ports are counted as this table does, which on some switches is not as their labels do: groups are slots, or members of a
 * stack. Watts of a port are not in the standard. The setting is lost with the switch's power unless somebody saves it.
 */

import { driverKind } from '../contract/outlets.ts';
import { snmpOutlets } from '../families/snmp-outlets.ts';

const portTable = '1.3.6.1.2.1.105.1.1.1';
/** pethPsePortAdminEnable: a TruthValue. */
const admin = { column: `${portTable}.3`, on: 1, off: 2 };
/** Of pethPsePortDetectionStatus. */
const deliveringPower = 3;
const faults = new Map([
  [4, 'fault'],
  [6, 'otherFault'],
]);

export const outlets = driverKind({
  model: 'snmp-poe',
  experimental: false,
  create: (device, deps) =>
    snmpOutlets(device, deps, {
      // `14` is port 14 of group 1, `2.14` of group 2.
      index: (outlet) => (outlet.includes('.') ? outlet : `1.${outlet}`),
      command: admin,
      state: admin,
      more: {
        column: `${portTable}.6`,
        optional: false,
        read(detection = 0, state) {
          const fault = state === 'on' ? faults.get(detection) : undefined;
          return { delivering: detection === deliveringPower, fault };
        },
      },
    }),
});
