/**
 * Cisco NX-OS: MAC table, links and ARP table of the command line.
 *
 * Proven against: own simulator only. Gateways and what the supervisor answers for are its own.
 * Source: Cisco Nexus 9000 Series NX-OS Command Reference, `show mac address-table`, `show interface status`, `show ip arp`.
 */

import { iosLinks, iosMacRow } from '../families/command-line/ios-like.ts';
import { arpRow, cliStations } from '../families/command-line/stations.ts';
import { nxos as dialect } from './dialect.ts';

export const stations = cliStations({
  dialect,
  macs: {
    command: 'show mac address-table',
    header: /^\s*vlan\s+mac address\s+type/im,
    row: iosMacRow,
    own: /^\s*G\b|\ssup-eth\S*\s*$/,
  },
  links: iosLinks('show interface status'),
  arp: { command: 'show ip arp', header: /^Address\s+Age/m, row: arpRow },
});
