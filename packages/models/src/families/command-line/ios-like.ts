/** Common parts of Cisco IOS and similar command lines. */
import type { Dialect } from '@skolo/equipment';
import { macPattern } from '../mac-address.ts';
import type { Table } from './connected-hosts.ts';
import { iosPager } from './pagers.ts';

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

/** `show interfaces status`: the last status word counts, because a description may contain one too. */
export function iosLinks(command: string): Table {
  return {
    command,
    header: /^Port\s+Name\s+Status/m,
    row: /^(?<port>[A-Za-z]+\d[\d/]*)\s.*\s(?<link>connected|notconnec\w*|disabled|err-?disabled?|inactive|suspended|monitoring|\w+Absen\w*|linkFlap\w*|down)\s/,
  };
}
