/** MAC tables, links and ARP tables printed by commands. A model provides data; everything else is here. */
import { type DeviceCli, DeviceRejected } from '@skolo/equipment';
import type {
  ConnectedHost,
  ConnectedHosts,
  CreateConnectedHostsReader,
} from '../../contract/connected-hosts.ts';
import { isOfOne, macOf, macPattern } from '../mac-address.ts';
import { type AnyDialect, anyCli } from './any-cli.ts';
import { ifAllowed, quoted } from './text-reading.ts';

/** A command's output, row by row. */
export interface Table {
  command: string;
  /** Precedes the rows: an answer without it is not a table, rather than an empty one. */
  header: RegExp;
  /** A row, with groups: `mac`, `port`, `vlan`, `address`, `hostname`, `link`. */
  row: RegExp;
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
        arp: arp && (await ifAllowed(ask(cli, arp))),
      };
      for (const { line, groups } of rowsIn(name, macs, said.macs)) {
        const host = hostOf(groups, 'mac-table');
        if (host === undefined) continue;
        if (macs.own?.test(line)) seen.own.push(host.mac);
        else if (host.port !== undefined) {
          seen.hosts.push(host);
        }
      }
      for (const { groups } of rowsIn(name, links, said.links)) {
        const { port = '', link = '' } = groups;
        seen.ports.push({ name: port, up: /^(?:up|connected|u)$/i.test(link) });
      }
      const known = arp && said.arp !== undefined && ifAllowed(rowsOf(name, arp, said.arp));
      for (const { line, groups } of (await known) || []) {
        const host = hostOf(groups, 'arp');
        if (host && arp?.own?.test(line)) seen.own.push(host.mac);
        else if (host) seen.hosts.push(host);
      }
      return seen;
    },
  });
}

type Groups = Readonly<Record<string, string | undefined>>;

async function ask(cli: Pick<DeviceCli, 'run'>, { command }: Table): Promise<string> {
  return (await cli.run(command)).toString('latin1');
}

async function rowsOf(...args: Parameters<typeof rowsIn>): Promise<ReturnType<typeof rowsIn>> {
  return rowsIn(...args);
}

/** @throws DeviceRejected It is not such a table, or has a row with an invalid address. */
export function rowsIn(
  device: string,
  { command, header, row }: Table,
  text: string,
): { line: string; groups: Groups }[] {
  if (!header.test(text)) {
    const what = `returned no table for ${quoted(command)}: ${quoted(text.trim())}`;
    throw new DeviceRejected(device, what);
  }
  return text.split('\n').flatMap((line) => {
    const groups = row.exec(line)?.groups;
    if (groups !== undefined) return [{ line, groups }];
    if (!new RegExp(macPattern).test(line)) return [];
    const what = `a line in the output of ${quoted(command)} is not valid: ${quoted(line.trim())}`;
    throw new DeviceRejected(device, what);
  });
}

/** Undefined for a multicast address. */
export function hostOf(groups: Groups, source: ConnectedHost['source']): ConnectedHost | undefined {
  const mac = macOf(groups.mac ?? '');
  if (!isOfOne(mac)) return undefined;
  const { port, vlan, address, hostname } = groups;
  const given = Object.entries({ port, vlan, address, hostname }).filter(
    ([, value]) => value !== undefined && value !== '',
  );
  return { mac, ...Object.fromEntries(given), source };
}
