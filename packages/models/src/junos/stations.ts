/**
 * Juniper Junos: Ethernet switching table, links and ARP table, in channels of ssh.
 *
 * Proven against: own simulator only, in the form of switches with ELS and in the older one. A unit, `ge-0/0/3.0`, is its port.
 * Source: Junos OS CLI Reference, `show ethernet-switching table`, `show interfaces terse`, `show arp`; sessions of users.
 */
import { cliStations } from '../families/command-line/stations.ts';
import { macPattern } from '../families/mac-address.ts';
import { junos as dialect } from './dialect.ts';

export const stations = cliStations({
  dialect,
  macs: {
    command: 'show ethernet-switching table',
    header: /^Ethernet[- ]switching table *:/im,
    row: new RegExp(
      String.raw`^\s*(?<vlan>\S+)\s+(?<mac>${macPattern})\b(?:.*?\s(?<port>[a-z]+[-\d/]*\d)\.\d+\b)?`,
    ),
    own: /\s(?:Router|irb\.\d+)\b/,
  },
  links: {
    command: 'show interfaces terse',
    header: /^Interface\s+Admin\s+Link/m,
    row: /^(?<port>[a-z]{2,5}-\d+\/\d+\/\d+|fxp0|me0|em0)\s+(?:up|down)\s+(?<link>up|down)\b/,
  },
  arp: {
    command: 'show arp no-resolve',
    header: /^MAC Address\s+Address/m,
    row: new RegExp(String.raw`^(?<mac>${macPattern})\s+(?<address>[\d.]+)`),
  },
});
