/**
 * Decides which addresses are errors: checks that they are in the subnet, that no two entries share an address and port, and that computers
 * which share an address have one identity.
 */

import type { Ports } from '@skolo/equipment/models';
import ipaddr from 'ipaddr.js';
import { claims, type Draft, type Report, type Spot, within } from '../draft/draft.ts';
import type { Equipment } from '../rack/rack.ts';

interface User {
  name: string;
  kind: 'jumphost' | 'machine' | 'equipment' | 'phone';
  /** Absent: all ports. */
  ports?: number[];
  /** Of computers, which may ask for tokens. */
  identity?: string;
  spot: Spot;
}

export function checkAddresses(draft: Draft, report: Report): void {
  const { jumphost, equipment, machines } = draft.rack;
  const { claimAddress, claimUnique, claimTopic } = claimsOfRack(draft, report);
  const identityOf = ({ identity }: { identity?: string }) =>
    identity ?? draft.rack.defaultIdentity ?? 'none';

  if (jumphost) {
    const { name, address, mac } = jumphost;
    const identity = identityOf(jumphost);
    claimAddress(address, { name, kind: 'jumphost', identity, spot: ['jumphost', 'address'] });
    claimUnique('mac', mac, { name, spot: ['jumphost', 'mac'] });
  }
  for (const item of equipment.values()) {
    const { name, address, mac, ports, transport, model } = item;
    const spot = () => within(draft, item, 'address');
    if (address === undefined && transport !== 'command') {
      report(
        spot,
        'missing',
        `is missing; skolo requires it to connect to ${model} over ${transport}`,
      );
    }
    if (transport === 'mqtt') claimTopic(item, spot);
    else claimAddress(address, { name, kind: 'equipment', ...given(ports), spot });
    claimUnique('mac', mac, { name, spot: () => within(draft, item, 'mac') });
  }
  for (const machine of machines.values()) {
    const { name, address, mac, serial, ports } = machine;
    const spot = () => within(draft, machine, 'address');
    const identity = identityOf(machine);
    claimAddress(address, { name, kind: 'machine', ...given(ports), identity, spot });
    claimUnique('mac', mac, { name, spot: () => within(draft, machine, 'mac') });
    claimUnique('serial', serial, { name, spot: () => within(draft, machine, 'serial') });
    for (const device of machine.devices) {
      const spot = () => within(draft, device, 'address');
      claimAddress(device.address, { name: device.fullName, kind: 'phone', spot });
    }
  }
}

/** Functions that report addresses outside the subnet, and duplicates. */
function claimsOfRack({ rack }: Draft, report: Report) {
  const isWrong = subnetCheck(rack.network.subnet);
  const conflictOf = claims<User>(clash);
  const otherIdentity = claims<User>((user, other) => user.identity !== other.identity);
  const firstOf = claims<{ name: string; spot: Spot }>();

  function checkSubnet(address: string, spot: Spot): void {
    const wrong = isWrong(address);
    if (wrong !== undefined) report(spot, 'subnet', wrong);
  }

  function claimAddress(address: string | undefined, user: User): void {
    if (address === undefined) return;
    checkSubnet(address, user.spot);
    const conflict = conflictOf(address, user);
    if (conflict !== undefined) {
      const message = twice(address, user, conflict);
      report(user.spot, 'address twice', message, undefined, { other: conflict.spot });
      return;
    }
    const other = user.identity === undefined ? undefined : otherIdentity(address, user);
    if (other !== undefined) {
      const message = `${address} is also used by ${other.name}, which has the identity ${other.identity}, not ${user.identity}; the metadata server tells callers apart by their addresses`;
      report(user.spot, 'identity by address', message, undefined, { other: other.spot });
    }
  }

  function claimUnique(
    what: 'mac' | 'serial' | 'address',
    value: string | undefined,
    { name, spot }: { name: string; spot: Spot },
    shown = value,
  ): void {
    const other = value === undefined ? undefined : firstOf(`${what} ${value}`, { name, spot });
    if (other === undefined) return;
    const message = `${shown} is also used by ${other.name}`;
    report(spot, `${what} twice`, message, undefined, { other: other.spot });
  }

  /** Devices share the address of the broker; each has its own command topic. */
  function claimTopic({ name, address, ports, options }: Equipment, spot: Spot): void {
    if (address === undefined) return;
    checkSubnet(address, spot);
    const topic = String(options.command).replaceAll('{device}', () => String(options.topic));
    const place = `${address} ${ports.mqtt ?? 1883} ${topic}`;
    claimUnique('address', place, { name, spot }, `${topic} on ${address}`);
  }

  return { claimAddress, claimUnique, claimTopic };
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
  const start = `${address} is also used by ${other.name}`;
  if (other.kind === 'jumphost' && user.kind === 'equipment') {
    return `${start}; if the jumphost itself runs ${user.name}, add its port, such as \`ports: { ssh: 22 }\``;
  }
  const shared = user.ports?.filter((port) => other.ports?.includes(port)) ?? [];
  return shared.length > 0 ? `${start}, and both use port ${shared.join(', ')}` : start;
}

/** The check returns undefined for a valid address. */
function subnetCheck(subnet: string | undefined): (address: string) => string | undefined {
  if (subnet === undefined) return () => undefined;
  const [network, bits] = ipaddr.parseCIDR(subnet);
  const isSmall = network.kind() === 'ipv6' || bits > 30;
  const first = network.toString();
  const last = isSmall ? '' : ipaddr.IPv4.broadcastAddressFromCIDR(subnet).toString();
  return (address) => {
    const ip = ipaddr.parse(address);
    if (ip.kind() !== network.kind() || !ip.match(network, bits)) {
      return `${address} is not in ${subnet}, the rack's subnet`;
    }
    if (isSmall || (address !== first && address !== last)) return undefined;
    return `${address} is the ${address === first ? 'network' : 'broadcast'} address of ${subnet}`;
  };
}
