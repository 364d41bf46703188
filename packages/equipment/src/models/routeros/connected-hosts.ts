/**
 * MikroTik (RouterOS 6 and 7): hosts of its bridges, links, ARP table and leases, as `print terse`, in ssh channels.
 *
 * Verified with: our simulator only. A bridge's own addresses have the flag L, a running interface R. Leases that nobody holds have
 * no `active-address`.
 * Source: RouterOS manual, "Bridging and Switching", "ARP", "DHCP Server"; scripts of users.
 */
import type { DeviceConnection } from '@skolo/equipment/transports';
import type {
  ConnectedHost,
  ConnectedHosts,
  ConnectedHostsReader,
} from '../contract/connected-hosts.ts';
import { anyCli } from '../families/command-line/any-cli.ts';
import { hostOf, rowsIn } from '../families/command-line/connected-hosts.ts';
import { ifSupported } from '../families/unneeded.ts';
import { routeros as dialect } from './dialect.ts';

export function connectedHosts(): ConnectedHostsReader {
  return { read: ({ connection }) => read(connection) };
}

async function read(connection: DeviceConnection): Promise<ConnectedHosts> {
  const seen: ConnectedHosts = { hosts: [], ports: [], own: [] };
  const ask = (menu: string) => printed(connection, `${menu} print terse`, seen);
  const add = (host: ConnectedHost | undefined) => host && seen.hosts.push(host);
  for (const { flags, values } of await ask('/interface bridge host')) {
    const port = values.get('on-interface') ?? values.get('interface') ?? '';
    const groups = { mac: values.get('mac-address'), port, vlan: values.get('vid') };
    const host = hostOf(groups, 'mac-table');
    if (host && flags.includes('L')) seen.own.push(host.mac);
    else add(host);
  }
  for (const { flags, values } of await ask('/interface')) {
    const own = values.get('mac-address');
    if (own !== undefined) seen.own.push(own.toLowerCase());
    if (!/^(?:ether|wlan|sfp)/.test(values.get('type') ?? '')) continue;
    seen.ports.push({ name: values.get('name') ?? '', up: flags.includes('R') });
  }
  for (const { values } of (await ifSupported(ask('/ip arp'))) ?? [])
    add(hostOf({ mac: values.get('mac-address'), address: values.get('address') }, 'arp'));
  for (const { values } of (await ifSupported(ask('/ip dhcp-server lease'))) ?? []) {
    const [mac, address] = [values.get('mac-address'), values.get('active-address')];
    const hostname = values.get('host-name');
    if (address !== undefined) add(hostOf({ mac, address, hostname }, 'lease'));
  }
  return { ...seen, own: [...new Set(seen.own)] };
}

const item = /^\s*\d+\s+(?<flags>(?:[A-Za-z]+ +)*)(?<rest>(?:;;;|[\w-]+=).*)$/;

/** Items with their flags, such as `DL`. @throws DeviceRejected It prints something else. */
async function printed(connection: DeviceConnection, command: string, seen: ConnectedHosts) {
  const cli = await anyCli(connection, dialect);
  const answer = (await cli.run(command)).toString('latin1').replaceAll('\r', '');
  const table = { command, header: /^/, row: item };
  const rows = rowsIn(connection.device.name, table, answer, /\S/, seen);
  return rows.map(({ groups: { flags = '', rest = '' } }) => {
    const pairs = [...rest.matchAll(/(?<=^|\s)([\w-]+)=("(?:\\.|[^"\\])*"|\S*)/g)];
    return { flags, values: new Map(pairs.map(([, key = '', value = '']) => [key, value])) };
  });
}
