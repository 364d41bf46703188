/**
 * Arista EOS: MAC table, links and ARP table of the command line.
 *
 * Proven against: own simulator only. The table of multicast addresses comes behind the other one, and is skipped by its addresses.
 * Source: Arista EOS User Manual, "Data Plane Structures" (`show mac address-table`), "Ethernet Ports", "ARP and IPv6".
 */

import { iosLinks } from '../families/command-line/ios-like.ts';
import { arpRow, cliStations } from '../families/command-line/stations.ts';
import { macPattern } from '../families/mac-address.ts';
import { eos as dialect } from './dialect.ts';

export const stations = cliStations({
  dialect,
  macs: {
    command: 'show mac address-table',
    header: /^Vlan\s+Mac Address\s+Type/m,
    row: new RegExp(String.raw`^\s*(?<vlan>\d+)\s+(?<mac>${macPattern})\s+\w+\s+(?<port>\S+)`),
    own: /\s(?:Cpu|Router|Vl\d+)\b/,
  },
  links: iosLinks('show interfaces status'),
  arp: { command: 'show ip arp', header: /^Address\s+Age/m, row: arpRow },
});
