/**
 * HP ProCurve and ArubaOS-S: port address table and links of the command line.
 *
 * Proven against: own simulator only. Older firmware prints no VLANs. A port in a trunk is `23-Trk1` among the links, and the trunk's
 * addresses are at `Trk1`.
 * Source: ArubaOS-Switch Management and Configuration Guide, "Monitoring and Analyzing Switch Operation"; sessions of users.
 */
import { cliStations } from '../families/command-line/stations.ts';
import { macPattern } from '../families/mac-address.ts';
import { procurve as dialect } from './dialect.ts';

export const stations = cliStations({
  dialect,
  macs: {
    command: 'show mac-address',
    header: /Port Address Table/,
    row: new RegExp(String.raw`^\s*(?<mac>${macPattern})\s+(?<port>\S+)(?:\s+(?<vlan>\d+))?`),
  },
  links: {
    command: 'show interfaces brief',
    header: /Status and Counters - Port Status/,
    row: /^\s*(?<port>\S+?)\*?(?:-Trk\d+)?\s.*\|\s+\S+\s+(?:Yes|No)\s+(?<link>Up|Down)\b/,
  },
});
