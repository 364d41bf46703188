/** What Cisco's IOS and the command lines that resemble it have in common. */
import type { Dialect } from '@skolo/equipment';
import { macPattern } from '../mac-address.ts';
import { iosPager } from './pagers.ts';
import type { Table } from './stations.ts';

export const iosLike = {
  privilege: {
    has: (prompt) => prompt.endsWith('#'),
    command: 'enable',
    password: /^Password: ?$/i,
  },
  setUp: ['terminal length 0', 'terminal width 511'],
  pagers: [iosPager],
  signOut: ['exit'],
} satisfies Partial<Dialect>;

/** A row of the MAC table of IOS and NX-OS, with the port in the last column. */
export const iosMacRow = new RegExp(
  String.raw`^[*+GCO~ ]*\s*(?<vlan>\d+|All|N/A|-)\s+(?<mac>${macPattern})\s+\w+\s+(?:.*\s)?(?<port>\S+)\s*$`,
);

/** `show interfaces status`: of the words that may be the status, the last counts, as a description may have one, too. */
export function iosLinks(command: string): Table {
  return {
    command,
    header: /^Port\s+Name\s+Status/m,
    row: /^(?<port>[A-Za-z]+\d[\d/]*)\s.*\s(?<link>connected|notconnec\w*|disabled|err-?disabled?|inactive|suspended|monitoring|\w+Absen\w*|linkFlap\w*|down)\s/,
  };
}
