/**
 * Cisco IOS and IOS-XE: MAC table, links and ARP table of the command line.
 *
 * Verified with: recordings of real switches, and our simulator. Rows end with the port, on modules of a chassis with more columns in front
 * of it.
 * Quirks: `mac-address-table` with a hyphen is what releases before 12.1(11)EA1 know.
 * Source: Cisco IOS LAN Switching Command Reference, `show mac address-table`, `show interfaces status`.
 */

import { arpRow, cliConnectedHosts } from '../families/command-line/connected-hosts.ts';
import { iosLinks, iosMacRow } from '../families/command-line/ios-like.ts';
import { ciscoIos as dialect } from './dialect.ts';

export const connectedHosts = cliConnectedHosts({
  dialect,
  macs: {
    command: 'show mac address-table',
    header: /^[ \t]*(?:vlan\s+mac address\s+type|Destination Address\s+Address Type)/im,
    row: iosMacRow,
    own: /\s(?:CPU|Router|Switch|Vl\d+)\s*$|\sSelf\s/,
  },
  links: iosLinks('show interfaces status'),
  // The device's own addresses have no age.
  arp: {
    command: 'show ip arp',
    header: /^Protocol\s+Address/m,
    row: arpRow,
    own: /^Internet\s+\S+\s+-\s/,
  },
});
