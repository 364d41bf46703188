/**
 * Ubiquiti UniFi switch: what `swctrl` shows, over ssh.
 *
 * Proven against: own simulator only, whose MAC table has the form of recorded sessions, with addresses and names where the switch
 * has seen them. Models without `swctrl` are not read. Its uplink is marked in front of the port.
 * Source: sessions of users (USW-Pro-Max-48, US-8).
 */
import { cliStations } from '../families/command-line/stations.ts';
import { macPattern } from '../families/mac-address.ts';
import { linuxShell } from '../families/unix/linux-shell.ts';

export const stations = cliStations({
  dialect: { errors: linuxShell.errors },
  macs: {
    command: 'swctrl mac show',
    header: /^port\s+vlan\s+mac/im,
    row: new RegExp(
      String.raw`^\s*(?<port>\d+)\s+(?<vlan>\d+)\s+(?<mac>${macPattern})(?:\s+(?<address>\d+(?:\.\d+){3}))?(?:\s+(?<hostname>[A-Za-z]\S*))?`,
    ),
  },
  links: {
    command: 'swctrl port show',
    header: /^\s*[@U]*\s*\d+\s+[UD]\/[UD]\s/m,
    row: /^\s*(?:[@U]+\s+)?(?<port>\d+)\s+[UD]\/(?<link>[UD])\s/,
  },
});
