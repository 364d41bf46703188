/**
 * What a switch tells of its ports and of who is behind them: IF-MIB (RFC 2863), BRIDGE-MIB (RFC 4188), Q-BRIDGE-MIB
 * (RFC 4363). Numbers of interfaces, of bridge ports and of labels are three different things, as in real ones.
 *
 * No recording: what it tells follows the machines that a test has behind the ports.
 */
import type { Plugged } from '../wiring.ts';
import { integer, type SnmpObject, text } from './mib.ts';

export interface BridgeAbout {
  /** Of each port, with the name that rack.yaml has. */
  ports: readonly { port: string; ifName?: string; ifDescr: string }[];
  /** `dot1d`: it has only the table without VLANs. */
  tables: 'dot1q' | 'dot1d';
}

/** Where these objects are. */
export const bridgeSubtrees = ['1.3.6.1.2.1.2.2', '1.3.6.1.2.1.17', '1.3.6.1.2.1.31.1.1'];

const [ifEntry, ifXEntry] = ['1.3.6.1.2.1.2.2.1', '1.3.6.1.2.1.31.1.1.1'];
const dot1d = '1.3.6.1.2.1.17';
const status = { learned: 3, self: 4 } as const;
const firstIndex = 10_100;

export function bridgeMib(plugged: Plugged, { ports, tables }: BridgeAbout): SnmpObject[] {
  const isUp = (name: string) => plugged.links().some(({ port, isUp }) => port === name && isUp);
  const bridgePort = (name: string) => 1 + ports.findIndex(({ port }) => port === name);
  const portRows = ports.flatMap(({ port, ifName, ifDescr }, at): SnmpObject[] => {
    const index = firstIndex + at;
    return [
      { oid: `${ifEntry}.2.${index}`, read: () => text(ifDescr) },
      { oid: `${ifEntry}.3.${index}`, read: () => integer(6) },
      { oid: `${ifEntry}.8.${index}`, read: () => integer(isUp(port) ? 1 : 2) },
      ...(ifName === undefined
        ? []
        : [{ oid: `${ifXEntry}.1.${index}`, read: () => text(ifName) }]),
      { oid: `${dot1d}.1.4.1.2.${at + 1}`, read: () => integer(index) },
    ];
  });
  // An address is in the number of its row.
  const row = (mac: string) =>
    mac
      .split(':')
      .map((part) => Number.parseInt(part, 16))
      .join('.');
  const rows = (mac: string, vlan: number, port: () => number | undefined, kind: number) => {
    const [table, index] =
      tables === 'dot1d'
        ? [`${dot1d}.4.3.1`, row(mac)]
        : [`${dot1d}.7.1.2.2.1`, `${vlan}.${row(mac)}`];
    const read = (value: number) => () => {
      const number = port();
      return number === undefined ? undefined : integer(value || number);
    };
    return [
      { oid: `${table}.2.${index}`, read: read(0) },
      { oid: `${table}.3.${index}`, read: read(kind) },
    ];
  };
  const known = plugged.hosts().flatMap(({ mac, vlan = 1 }) => {
    const port = () => {
      const now = plugged.hosts().find((host) => host.mac === mac);
      return now && bridgePort(now.port);
    };
    return rows(mac, vlan, port, status.learned);
  });
  const own = plugged.own;
  return [
    ...portRows,
    {
      oid: `${dot1d}.1.1.0`,
      read: () => text(Buffer.from(own.replaceAll(':', ''), 'hex').toString('latin1')),
    },
    ...known,
    ...rows(own, 1, () => ports.length + 1, status.self),
    // Its LAG, which has a number that is also that of a port.
    { oid: `${ifEntry}.2.${firstIndex + 900}`, read: () => text('Link Aggregate 1') },
    { oid: `${ifEntry}.3.${firstIndex + 900}`, read: () => integer(161) },
    { oid: `${ifEntry}.8.${firstIndex + 900}`, read: () => integer(2) },
    { oid: `${dot1d}.1.4.1.2.${ports.length + 1}`, read: () => integer(firstIndex + 900) },
  ];
}
