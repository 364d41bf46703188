/**
 * Ubiquiti EdgeSwitch (Fastpath): MAC table and links of the command line.
 *
 * Proven against: own simulator only, whose MAC table has the form of recorded sessions. An interface may be of two words, `vlan 50`.
 * Source: EdgeSwitch CLI Command Reference, `show mac-addr-table`, `show port`.
 */
import { cliStations } from '../families/command-line/stations.ts';
import { fastpath as dialect } from '../families/fastpath/fastpath.ts';
import { macPattern } from '../families/mac-address.ts';

export const stations = cliStations({
  dialect,
  macs: {
    command: 'show mac-addr-table',
    header: /^VLAN ID\s+MAC Address\s+Interface/m,
    row: new RegExp(
      String.raw`^\s*(?<vlan>\d+)\s+(?<mac>${macPattern})\s+(?<port>\S+(?: \S+)?)\s+\d+\s+\w`,
    ),
    own: /\s(?:Management|Self)\b/,
  },
  links: {
    command: 'show port all',
    header: /^Intf\s+Type\s+Mode/m,
    row: /^(?<port>(?:\d+\/)*\d+)\s.*\s(?<link>Up|Down)\s/,
  },
});
