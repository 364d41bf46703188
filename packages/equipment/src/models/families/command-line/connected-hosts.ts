/** MAC tables, links and ARP tables printed by commands. A model provides data; everything else is here. */
import { type DeviceCli, DeviceRejected } from '@skolo/equipment/transports';
import type {
  ConnectedHost,
  ConnectedHosts,
  CreateConnectedHostsReader,
} from '../../contract/connected-hosts.ts';
import { models } from '../../index.ts';
import { isOfOne, macOf, macPattern } from '../mac-address.ts';
import { ifSupported } from '../unneeded.ts';
import { type AnyDialect, anyCli } from './any-cli.ts';
import { quoted } from './text-reading.ts';

/** A command's output, row by row. */
export interface Table {
  command: string;
  /** Precedes the rows: an answer without it is not a table, rather than an empty one. */
  header: RegExp;
  /** Forms of a row, with groups: `mac`, `port`, `vlan`, `address`, `hostname`, `link`. The first match counts. */
  row: RegExp | readonly RegExp[];
  /** The device's own rows. */
  own?: RegExp;
}

interface CliConnectedHosts {
  dialect: AnyDialect;
  macs: Table;
  /** `link` is `up`, `connected` or `U` for a port with a link. */
  links: Table;
  /** Absent: it is not a router. Not every login may run it. */
  arp?: Table;
}

/** A row of an ARP table, in most command lines. */
export const arpRow = new RegExp(
  String.raw`\b(?<address>\d{1,3}(?:\.\d{1,3}){3})\b.*?\s(?<mac>${macPattern})`,
);

export function cliConnectedHosts({
  dialect,
  macs,
  links,
  arp,
}: CliConnectedHosts): CreateConnectedHostsReader {
  return (device) => ({
    async read({ connection }): Promise<ConnectedHosts> {
      const { name } = device;
      const cli = await anyCli(connection, dialect);
      const seen: ConnectedHosts = { hosts: [], ports: [], own: [] };
      const said = {
        macs: await ask(cli, macs),
        links: await ask(cli, links),
        arp: arp && (await ifSupported(ask(cli, arp))),
      };
      const hasMac = new RegExp(macPattern);
      const { network } = models.get(device.model) ?? {};
      const nameIn = (line: string) => line.trim().replace(/\s.*/, '');
      const isPort = {
        test: (line: string) => network?.find(nameIn(line), device.options) !== undefined,
      };
      const add = (source: ConnectedHost['source'], { own }: Table, rows: Row[]) => {
        for (const { line, groups } of rows) {
          const host = hostOf(groups, source);
          if (host && own?.test(line)) seen.own.push(host.mac);
          else if (host && (host.port ?? host.address) !== undefined) seen.hosts.push(host);
        }
      };
      add('mac-table', macs, rowsIn(name, macs, said.macs, hasMac, seen));
      for (const { groups } of rowsIn(name, links, said.links, isPort, seen)) {
        const { port = '', link = '' } = groups;
        seen.ports.push({ name: port, up: /^(?:up|connected|u)$/i.test(link) });
      }
      const known = async () => (arp && said.arp ? rowsIn(name, arp, said.arp, hasMac, seen) : []);
      if (arp) add('arp', arp, (await ifSupported(known())) ?? []);
      return seen;
    },
  });
}

type Groups = Readonly<Record<string, string | undefined>>;

interface Row {
  line: string;
  groups: Groups;
}

async function ask(cli: Pick<DeviceCli, 'run'>, { command }: Table): Promise<string> {
  return (await cli.run(command)).toString('latin1');
}

/** Patterns may take the square of its length. */
const longestRow = 2000;

/**
 * @param isRow whether a line may be a row; those that are not understood are counted in `seen`
 * @throws DeviceRejected It is not such a table, or none of its rows is understood.
 */
export function rowsIn(
  device: string,
  { command, header, row }: Table,
  text: string,
  isRow: { test(line: string): boolean },
  seen: ConnectedHosts,
): Row[] {
  const lines = text.split('\n').map((whole) => {
    const line = whole.slice(0, longestRow);
    const found = [row].flat().map((form) => form.exec(line)?.groups);
    return { line, groups: found.find((groups) => groups !== undefined) };
  });
  const rows = lines.flatMap(({ line, groups }) => (groups ? [{ line, groups }] : []));
  const others = lines.filter(({ line, groups }) => groups === undefined && isRow.test(line));
  const first = others[0]?.line.trim().slice(0, 200);
  if (!header.test(text) || (rows.length === 0 && first !== undefined)) {
    const what = `returned no table for ${quoted(command)}: ${quoted(first ?? text.trim())}`;
    throw new DeviceRejected(device, what);
  }
  if (first === undefined) return rows;
  seen.unread = [...(seen.unread ?? []), { command, lines: others.length, first }];
  return rows;
}

/** Undefined for a multicast address, or none. */
export function hostOf(groups: Groups, source: ConnectedHost['source']): ConnectedHost | undefined {
  const mac = macOf(groups.mac ?? '');
  if (mac === '' || !isOfOne(mac)) return undefined;
  const { port, vlan, address, hostname } = groups;
  const given = Object.entries({ port, vlan, address, hostname }).filter(
    ([, value]) => value !== undefined && value !== '',
  );
  return { mac, ...Object.fromEntries(given), source };
}

/**
 * The hosts in the lines that match.
 *
 * @param more further groups of a line; undefined: it does not count
 */
export function hostsIn(
  text: string,
  row: RegExp,
  source: ConnectedHost['source'],
  more: (line: string) => Groups | undefined = () => ({}),
): ConnectedHost[] {
  return text.split('\n').flatMap((line) => {
    const groups = row.exec(line)?.groups;
    const others = groups && more(line);
    return others ? (hostOf({ ...groups, ...others }, source) ?? []) : [];
  });
}
