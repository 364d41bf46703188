/** Checks that addresses are in the subnet, and that no two entries share an address and port. */

import type { Ports } from '@skolo/models';
import ipaddr from 'ipaddr.js';
import { type Draft, type Report, type Spot, within } from '../draft.ts';
import type { InfrastructureDevice } from '../rack.ts';

interface User {
  name: string;
  kind: 'jumphost' | 'machine' | 'infrastructure' | 'device';
  /** Absent: all ports. */
  ports?: number[];
  spot: Spot;
}

export function checkAddresses(draft: Draft, report: Report): void {
  const { rack } = draft;
  const isWrong = subnetCheck(rack.network.subnet);
  const users = new Map<string, User[]>();
  const macs = new Map<string, { name: string; spot: Spot }>();
  const serials = new Map<string, { name: string; spot: Spot }>();
  const topics = new Map<string, { name: string; spot: Spot }>();

  function take(address: string | undefined, user: User): void {
    if (address === undefined) return;
    const { spot } = user;
    const wrong = isWrong(address);
    if (wrong !== undefined) report(spot, 'subnet', wrong);
    const others = users.get(address) ?? [];
    users.set(address, [...others, user]);
    const conflict = others.find((other) => clash(user, other));
    if (conflict === undefined) return;
    const message = twice(address, user, conflict);
    report(spot, 'address twice', message, undefined, { other: conflict.spot });
  }

  function takeMac(mac: string | undefined, name: string, spot: Spot): void {
    takeOnce(macs, mac, { name, spot, rule: 'mac twice' });
  }

  function takeOnce(
    taken: Map<string, { name: string; spot: Spot }>,
    value: string | undefined,
    { name, spot, rule }: { name: string; spot: Spot; rule: string },
  ): void {
    if (value === undefined) return;
    const other = taken.get(value);
    if (other === undefined) taken.set(value, { name, spot });
    else {
      const message = `${value} is used twice: also by ${other.name}`;
      report(spot, rule, message, undefined, { other: other.spot });
    }
  }

  /** Devices share the address of the broker; each has its own command topic. */
  function takeTopic({ name, address, ports, options }: InfrastructureDevice, spot: Spot): void {
    if (address === undefined) return;
    const wrong = isWrong(address);
    if (wrong !== undefined) report(spot, 'subnet', wrong);
    const topic = String(options.command).replaceAll('{device}', () => String(options.topic));
    const place = `${address} ${ports.mqtt ?? 1883} ${topic}`;
    const other = topics.get(place);
    topics.set(place, other ?? { name, spot });
    if (other === undefined) return;
    const message = `${topic} on ${address} is used twice: also by ${other.name}`;
    report(spot, 'address twice', message, undefined, { other: other.spot });
  }

  const { jumphost } = rack;
  if (jumphost) {
    const spot = ['jumphost', 'address'];
    take(jumphost.address, { name: jumphost.name, kind: 'jumphost', spot });
    takeMac(jumphost.mac, jumphost.name, ['jumphost', 'mac']);
  }
  for (const device of rack.infrastructure.values()) {
    const { name, address, mac, ports, transport } = device;
    if (address === undefined && transport !== 'command') {
      report(
        () => within(draft, device, 'address'),
        'missing',
        `is missing: ${device.model} is reached over ${transport}`,
      );
    }
    const spot = () => within(draft, device, 'address');
    if (transport === 'mqtt') takeTopic(device, spot);
    else take(address, { name, kind: 'infrastructure', ...given(ports), spot });
    takeMac(mac, name, () => within(draft, device, 'mac'));
  }
  for (const machine of rack.machines.values()) {
    const { name, address, mac, ports } = machine;
    const spot = () => within(draft, machine, 'address');
    take(address, { name, kind: 'machine', ...given(ports), spot });
    takeMac(mac, name, () => within(draft, machine, 'mac'));
    const serialSpot = () => within(draft, machine, 'serial');
    takeOnce(serials, machine.serial, { name, spot: serialSpot, rule: 'serial twice' });
    for (const device of machine.devices) {
      const spot = () => within(draft, device, 'address');
      take(device.address, { name: device.fullName, kind: 'device', spot });
    }
  }
}

function given(ports: Ports): { ports?: number[] } {
  const all = Object.values(ports);
  return all.length === 0 ? {} : { ports: all };
}

/** Devices can use free ports of the jumphost. */
function clash(user: User, other: User): boolean {
  if (other.kind === 'jumphost') return user.ports === undefined;
  if (user.ports === undefined || other.ports === undefined) return true;
  return user.ports.some((port) => other.ports?.includes(port));
}

function twice(address: string, user: User, other: User): string {
  const start = `${address} is used twice: also by ${other.name}`;
  const shared = user.ports?.filter((port) => other.ports?.includes(port)) ?? [];
  return shared.length > 0 ? `${start}, with the same port ${shared.join(', ')}` : start;
}

/** The check gives undefined for a valid address. */
function subnetCheck(subnet: string | undefined): (address: string) => string | undefined {
  if (subnet === undefined) return () => undefined;
  const [network, bits] = ipaddr.parseCIDR(subnet);
  const isSmall = network.kind() === 'ipv6' || bits > 30;
  const first = network.toString();
  const last = isSmall ? '' : ipaddr.IPv4.broadcastAddressFromCIDR(subnet).toString();
  return (address) => {
    const ip = ipaddr.parse(address);
    if (ip.kind() !== network.kind() || !ip.match(network, bits)) {
      return `${address} is not in ${subnet}, the subnet of the rack`;
    }
    if (isSmall || (address !== first && address !== last)) return undefined;
    return `${address} is the ${address === first ? 'network' : 'broadcast'} address of ${subnet}`;
  };
}
