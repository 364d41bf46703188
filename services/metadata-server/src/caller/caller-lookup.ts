/**
 * Decides whose identity, and so whose token, a caller gets, by its address. The most specific match wins: a machine's address, an entry
 * of `callers` (longest prefix), the jumphost's own addresses, the default identity; otherwise nobody.
 *
 * Addresses of entries in rack.yaml that are disabled for their errors belong to nobody: a network or the default identity would grant them
 * more than their entries do.
 */
import { networkInterfaces } from 'node:os';
import { inNetworks, normaliseAddress } from '@skolo/common';
import type { Identity, Machine, Rack } from '@skolo/rack';
import ipaddr from 'ipaddr.js';

export interface Caller {
  kind: 'machine' | 'cidr' | 'jumphost' | 'default' | 'unknown';
  /** The name of the machine, jumphost, network or, without an identity, equipment; an address if nothing better is known. */
  name: string;
  address: string;
  machine?: Machine;
  /** Absent: nobody, or disabled by `identity: none`. */
  identity?: Identity;
}

export type FindCaller = (address: string) => Caller;

/** Rebuilt for each version of rack.yaml. `ownAddresses`: those of this computer's interfaces. */
export function callerLookup(rack: Rack, ownAddresses: readonly string[]): FindCaller {
  const machines = new Map<string, Machine>();
  for (const machine of rack.machines.values()) {
    if (machine.address === undefined) continue;
    const address = normaliseAddress(machine.address) ?? machine.address;
    // The first of machines that share an address and differ in their ports; rack.yaml must give them one identity.
    if (!machines.has(address)) machines.set(address, machine);
  }
  const equipment = new Map(
    [...rack.equipment.values()].map(({ name, address = '' }) => [
      normaliseAddress(address) ?? address,
      name,
    ]),
  );
  const networks = rack.services['metadata-server'].callers
    .map(({ cidr, identity }) => ({
      identity,
      bits: ipaddr.parseCIDR(cidr)[1],
      has: inNetworks([cidr]),
    }))
    .sort((a, b) => b.bits - a.bits);
  const own = new Set([...ownAddresses, normaliseAddress(rack.jumphost.address)]);

  const isInSubnet = inNetworks(
    rack.network.subnet ? [rack.network.subnet] : ['0.0.0.0/0', '::/0'],
  );

  function isNobodys(address: string): boolean {
    const { disabled } = rack;
    if (disabled === undefined) return false;
    if (disabled.everyone || disabled.addresses.has(address)) return true;
    return disabled.subnet && isInSubnet(address) && !own.has(address);
  }

  function identityNamed(name: string | undefined): { identity?: Identity } {
    const identity = name === undefined ? undefined : rack.identities.get(name);
    return identity ? { identity } : {};
  }

  function unknown(address: string): Caller {
    return { kind: 'unknown', name: equipment.get(address) ?? address, address };
  }

  return function findCaller(address) {
    const machine = machines.get(address);
    if (machine) {
      const identity = identityNamed(machine.identity ?? rack.defaultIdentity);
      return { kind: 'machine', name: machine.name, address, machine, ...identity };
    }
    if (isNobodys(address)) return unknown(address);
    const network = networks.find(({ has }) => has(address));
    if (network) {
      return {
        kind: 'cidr',
        name: instanceNameOf(address),
        address,
        ...identityNamed(network.identity),
      };
    }
    if (own.has(address)) {
      const identity = identityNamed(rack.jumphost.identity ?? rack.defaultIdentity);
      return { kind: 'jumphost', name: rack.jumphost.name, address, ...identity };
    }
    if (rack.defaultIdentity !== undefined) {
      return {
        kind: 'default',
        name: instanceNameOf(address),
        address,
        ...identityNamed(rack.defaultIdentity),
      };
    }
    return unknown(address);
  };
}

/** This computer's current addresses. */
export function interfaceAddresses(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.flatMap(({ address }) => normaliseAddress(address) ?? []);
}

function instanceNameOf(address: string): string {
  return `ip-${address.replace(/[^0-9a-f]+/gi, '-').replace(/^-|-$/g, '')}`;
}
