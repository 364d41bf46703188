/**
 * A Linux that routes or bridges: its links, the tables of its bridges, and the kernel's ARP table, with programs that every Linux has. If
 * iproute2's `bridge` is missing, as on a small BusyBox, the same is read from /sys, because BusyBox's `brctl` may lack `showmacs`. Only
 * `bridge` shows a switch chip's own table.
 *
 * Verified with: a real bridge and neighbours in a network namespace (iproute2 6.1), which is that of a real FRR (8.4.4).
 */
import { type DeviceConnection, DeviceRejected } from '@skolo/equipment/transports';
import type {
  ConnectedHost,
  ConnectedHosts,
  CreateConnectedHostsReader,
} from '../../contract/connected-hosts.ts';
import { arpRow, hostOf, hostsIn } from '../command-line/connected-hosts.ts';
import { quoted } from '../command-line/text-reading.ts';
import { isOfOne, macPattern } from '../mac-address.ts';
import { ifSupported } from '../unneeded.ts';

/** A command that prints leases, and a parser for its output. */
interface Leases {
  command: string;
  parse(text: string): ConnectedHost[];
}

/** The user's PATH may lack the administrators' directories. */
const path = 'PATH=$PATH:/usr/sbin:/sbin';
const notFound = 127;
const entryBytes = 16;

export function linuxConnectedHosts(leases: readonly Leases[]): CreateConnectedHostsReader {
  return () => ({ read: ({ connection }) => read(connection, leases) });
}

async function read(
  connection: DeviceConnection,
  leases: readonly Leases[],
): Promise<ConnectedHosts> {
  const links = await linksOf(connection);
  const bridges = [...new Set(links.flatMap(({ bridge }) => bridge ?? []))];
  const isPort = ({ name, isEthernet, parent }: Link) =>
    isEthernet && parent === undefined && !bridges.includes(name);
  const ports = links.filter(isPort);
  const fdb = bridges.length === 0 ? [] : await bridgeTable(connection, bridges);
  const named = (name: string) => {
    const physical = links.find((link) => link.name === name)?.parent ?? name;
    return ports.some((port) => port.name === physical) ? physical : undefined;
  };
  const arp = await textOf(connection, 'cat /proc/net/arp');
  const neighbours = hostsIn(arp, arpRow, 'arp', (line) => {
    if (/\s0x0\s/.test(line)) return undefined;
    return { port: named(line.trim().split(/\s+/).at(-1) ?? '') };
  });
  const leased: ConnectedHost[] = [];
  for (const { command, parse } of leases) {
    const answer = await ifSupported(connection.exec(command, { purpose: 'table' }));
    if (answer !== undefined) leased.push(...parse(answer.toString()));
  }
  return {
    hosts: [...fdb, ...neighbours, ...leased],
    ports: ports.map(({ name, isUp }) => ({ name, up: isUp })),
    own: [...new Set(links.flatMap(({ mac }) => (mac && isOfOne(mac) ? [mac] : [])))],
  };
}

interface Link {
  name: string;
  isUp: boolean;
  isEthernet: boolean;
  mac: string | undefined;
  /** The bridge that it belongs to. */
  bridge: string | undefined;
  /** The underlying port, for a VLAN interface. */
  parent: string | undefined;
}

/** `4: v1@w1: <BROADCAST,UP,LOWER_UP> mtu 1500 … master br0 …\    link/ether fa:60:… brd …` */
async function linksOf(connection: DeviceConnection): Promise<Link[]> {
  const command = `${path} ip -o link show`;
  const text = await textOf(connection, command);
  const links = text.split('\n').flatMap((line) => {
    const [, name, , flags] = /^\d+: ([^:@\s]+)(@[^:\s]+)?: <([^>]*)>/.exec(line) ?? [];
    if (name === undefined || flags === undefined) return [];
    const [, vlanOf] = /^(.+)\.\d+$/.exec(name) ?? [];
    return {
      name,
      isUp: flags.split(',').includes('LOWER_UP'),
      isEthernet: /\blink\/ether\b/.test(line),
      mac: new RegExp(`link/ether (${macPattern})`).exec(line)?.[1]?.toLowerCase(),
      bridge: /\bmaster (\S+)/.exec(line)?.[1],
      parent: vlanOf,
    };
  });
  if (links.length > 0) return links;
  const what = `returned no interfaces for ${quoted('ip -o link show')}: ${quoted(text.trim())}`;
  throw new DeviceRejected(connection.device.name, what);
}

async function bridgeTable(
  connection: DeviceConnection,
  bridges: readonly string[],
): Promise<ConnectedHost[]> {
  const text = await textOf(connection, `${path} bridge fdb show`, [notFound]);
  if (text !== '') return fdbRows(text);
  const found: ConnectedHost[] = [];
  for (const bridge of bridges) found.push(...(await rawTable(connection, bridge)));
  return found;
}

/** `b8:27:eb:00:00:01 dev lan1 vlan 10 master br-lan`; what a switch chip has learned is `self`. */
function fdbRows(text: string): ConnectedHost[] {
  const row = new RegExp(`^(?<mac>${macPattern}) dev (?<port>\\S+)(?: vlan (?<vlan>\\d+))?`);
  // The ports' own addresses are permanent.
  const hosts = hostsIn(text, row, 'mac-table', (line) =>
    /\bpermanent\b/.test(line) ? undefined : {},
  );
  return [...new Map(hosts.map((host) => [`${host.mac} ${host.port}`, host])).values()];
}

/** The kernel's own table: 16 bytes per address, with its port number, and whether it is the port's own. */
async function rawTable(connection: DeviceConnection, bridge: string): Promise<ConnectedHost[]> {
  const folder = `/sys/class/net/${bridge}`;
  const table = await connection.exec(`cat ${folder}/brforward`, { purpose: 'table' });
  const numbers = await textOf(connection, `grep ^0x ${folder}/brif/*/port_no /dev/null`);
  const names = new Map(
    [...numbers.matchAll(/\/brif\/([^/]+)\/port_no:0x([\da-f]+)/g)].map(
      ([, name = '', number = '']) => [Number.parseInt(number, 16), name],
    ),
  );
  const found: ConnectedHost[] = [];
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    const entry = table.subarray(at, at + entryBytes);
    const port = names.get((entry[6] ?? 0) + 256 * (entry[12] ?? 0));
    const isOwn = entry[7] !== 0;
    const host = hostOf({ mac: entry.toString('hex', 0, 6), port }, 'mac-table');
    if (host && port !== undefined && !isOwn) found.push(host);
  }
  return found;
}

async function textOf(
  connection: DeviceConnection,
  command: string,
  accept: readonly number[] = [],
): Promise<string> {
  return (await connection.exec(command, { accept, purpose: 'table' })).toString();
}

/** Leases of dnsmasq: time, MAC address, address, name or `*`. */
export function dnsmasqLeases(file: string): Leases {
  const row = new RegExp(
    `^\\d+ (?<mac>${macPattern}) (?<address>[\\d.]+) (?:\\*|(?<hostname>\\S+))`,
  );
  return { command: `cat ${file}`, parse: (text) => hostsIn(text, row, 'lease') };
}

/** An operational command of EdgeOS or VyOS, with names in the column with this heading. */
export function vyattaLeases(words: string, heading: string): Leases {
  return {
    command: `/opt/vyatta/bin/vyatta-op-cmd-wrapper ${words}`,
    parse(text) {
      const at = new RegExp(`^.*(?=${heading})`, 'im').exec(text)?.[0].length ?? Infinity;
      const nameIn = (line: string) => /^[\w.-]+/.exec(line.slice(at))?.[0];
      return hostsIn(text, arpRow, 'lease', (line) => ({ hostname: nameIn(line) }));
    },
  };
}
