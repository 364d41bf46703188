/** Common parts of Cisco IOS and similar command lines. */
import type { Dialect } from '@skolo/equipment/transports';
import { macPattern } from '../mac-address.ts';
import type { Table } from './connected-hosts.ts';
import { iosPager } from './pagers.ts';

export const iosLike = {
  privilege: {
    has: (prompt) => prompt.endsWith('#'),
    command: 'enable',
  },
  setUp: ['terminal length 0', 'terminal width 511'],
  pagers: [iosPager],
  signOut: ['exit'],
} satisfies Partial<Dialect>;

/** Rows of the MAC table of IOS and NX-OS: the port is in the last column, which may be empty. The oldest form starts with the address. */
export const iosMacRow = new RegExp(
  String.raw`^[*+#~A-Z\s]*?(?:(?<vlan>\d+|All|N/A|-+|[A-Z][a-z]+\d\S*)\s+)?(?<mac>${macPattern})\s+[A-Za-z]+(?=\s|$)(?:.*\s(?<port>[A-Za-z]\S*)\s*$)?`,
);

/** `show interfaces status`: the word before the VLAN, duplex and speed counts, because a description may contain any word. */
export function iosLinks(command: string): Table {
  return {
    command,
    header: /^Port\s+Name\s+Status/m,
    row: [
      /^(?<port>[A-Za-z]+\d[\d/]*)\s(?:.*?\s)?(?<link>[A-Za-z]\S*)\s+(?:(?:in|pvlan)\s+)?\S+\s+(?:(?:a-)?(?:full|half)|auto|unconf\w*|--)\s+(?:(?:a-)?\d[\d.]*[MG]?|auto|unconf\w*|--)(?:\s|$)/,
      // Without VLAN, duplex and speed.
      /^(?<port>(?:fc|Tunnel)\d[\d/]*)\s.*\s(?<link>connected|up|down)\s/,
    ],
  };
}
