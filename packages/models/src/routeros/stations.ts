/**
 * MikroTik (RouterOS 6 and 7): hosts of its bridges, links, ARP table and leases, as `print terse`, in channels of ssh.
 *
 * Proven against: own simulator only. A bridge's own addresses have the flag L, a running interface R. Leases that nobody holds have
 * no `active-address`.
 * Source: RouterOS manual, "Bridging and Switching", "ARP", "DHCP Server"; scripts of users.
 */
import { type DeviceConnection, DeviceRefused } from '@skolo/equipment';
import type { Device } from '../contract/device.ts';
import { portName, type SeenStations, type StationReader } from '../contract/stations.ts';
import { stationOf } from '../families/command-line/stations.ts';
import { ifAllowed, quoted, throwIfRefused } from '../families/command-line/text-reading.ts';
import { routeros as dialect } from './dialect.ts';

export function stations(device: Device): StationReader {
  return { read: ({ connection }) => read(device, connection) };
}

async function read(device: Device, connection: DeviceConnection): Promise<SeenStations> {
  const ask = (menu: string) => printed(connection, `${menu} print terse`);
  const seen: SeenStations = { stations: [], ports: [], own: [] };
  for (const { flags, values } of await ask('/interface bridge host')) {
    const port = values.get('on-interface') ?? values.get('interface') ?? '';
    const groups = {
      mac: values.get('mac-address'),
      port: portName(device, port),
      vlan: values.get('vid'),
    };
    const station = stationOf(groups, 'mac-table');
    if (station && flags.includes('L')) seen.own.push(station.mac);
    else if (station) seen.stations.push(station);
  }
  for (const { flags, values } of await ask('/interface')) {
    const own = values.get('mac-address');
    if (own !== undefined) seen.own.push(own.toLowerCase());
    if (!/^(?:ether|wlan|sfp)/.test(values.get('type') ?? '')) continue;
    seen.ports.push({ name: portName(device, values.get('name') ?? ''), up: flags.includes('R') });
  }
  for (const { values } of (await ifAllowed(ask('/ip arp'))) ?? []) {
    const groups = { mac: values.get('mac-address'), address: values.get('address') };
    const station = groups.mac === undefined ? undefined : stationOf(groups, 'arp');
    if (station) seen.stations.push(station);
  }
  for (const { values } of (await ifAllowed(ask('/ip dhcp-server lease'))) ?? []) {
    const [mac, address] = [values.get('mac-address'), values.get('active-address')];
    if (mac === undefined || address === undefined) continue;
    const station = stationOf({ mac, address, hostname: values.get('host-name') }, 'lease');
    if (station) seen.stations.push(station);
  }
  return { ...seen, own: [...new Set(seen.own)] };
}

interface Item {
  /** `DL`. */
  flags: string;
  values: ReadonlyMap<string, string>;
}

/** @throws DeviceRefused There is a line that is no item. */
async function printed(connection: DeviceConnection, command: string): Promise<Item[]> {
  const { name } = connection.device;
  const answer = await connection.exec(command);
  throwIfRefused(name, command, answer, dialect);
  const lines = answer
    .toString()
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [, flags, rest] = /^\s*\d+\s+([A-Za-z ]*?)\s*((?:;;;|[\w-]+=).*)$/.exec(line) ?? [];
    if (flags === undefined || rest === undefined) {
      const what = `a line of its answer to ${quoted(command)} makes no sense: ${quoted(line.trim())}`;
      throw new DeviceRefused(name, what);
    }
    const pairs = [...rest.matchAll(/(?<=^|\s)([\w-]+)=("(?:\\.|[^"\\])*"|\S*)/g)];
    return { flags, values: new Map(pairs.map(([, key = '', value = '']) => [key, value])) };
  });
}
