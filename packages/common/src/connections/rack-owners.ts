/**
 * Decides whose connection it is, and how many open connections each owner, such as a machine, may have, from rack.yaml. A machine owns its
 * addresses, and IPv6 addresses for which the kernel lists its MAC, because it may use any number of them. Connections from outside the
 * rack's networks (pods, Prometheus, a VPN) share one limit, so machines cannot use it up.
 */
import { isIPv6 } from 'node:net';
import { pause } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { inNetworks, normaliseAddress } from './client-address.ts';
import {
  type ConnectionLimitsDeps,
  type Ends,
  isSameComputer,
  mostConnections,
  type Owner,
} from './connection-limits.ts';

interface RackOwnersDeps {
  rack: { readonly rack: Rack };
  /** MACs by address. */
  readNeighbours: () => Promise<ReadonlyMap<string, string>>;
  /** Interval between two queries of the neighbours. */
  everyMs?: number;
}

const jumphost: Owner = { kind: 'jumphost', most: 256 };
const neighbours: Owner = { kind: 'neighbours', most: 256 };
const others: Owner = { kind: 'others', most: 256 };
/** Theirs are the connections of all who ask through them. */
const proxies: Owner = { kind: 'proxies', most: mostConnections };

export function rackOwners({
  rack: watched,
  readNeighbours,
  everyMs = 1000,
}: RackOwnersDeps): Pick<ConnectionLimitsDeps, 'ownerOf' | 'laterOwnerOf'> {
  let lists = listsOf(watched.rack);
  let macs: ReadonlyMap<string, string> = new Map();
  let reading: Promise<void> | undefined;

  function current() {
    if (lists.rack !== watched.rack) lists = listsOf(watched.rack);
    return lists;
  }

  /** However many ask, one reading. Whoever has come in the meantime is in it. */
  async function readMacs(): Promise<void> {
    await pause(everyMs);
    reading = undefined;
    // Without `ip`, as in most pods, nobody comes over IPv6.
    macs = await readNeighbours().catch(() => new Map<string, string>());
  }

  function behind(address: string): Owner | undefined {
    return current().byMac.get(macs.get(address) ?? '');
  }

  function isJumphost(ends: Ends): boolean {
    return isSameComputer(ends) || ends.remote === current().own;
  }

  return {
    ownerOf(ends) {
      const { byAddress, isProxy, isInSubnet } = current();
      const { remote } = ends;
      const machine = byAddress.get(remote);
      if (machine) return machine;
      if (isJumphost(ends)) return jumphost;
      if (isProxy(remote)) return proxies;
      // It can only connect through the rack's own network.
      if (isIPv6(remote)) return behind(remote) ?? neighbours;
      return isInSubnet(remote) ? neighbours : others;
    },
    async laterOwnerOf(ends) {
      const { remote } = ends;
      if (!isIPv6(remote) || isJumphost(ends) || current().byAddress.has(remote)) return undefined;
      reading ??= readMacs();
      await reading;
      return behind(remote);
    },
  };
}

function listsOf(rack: Rack) {
  const byAddress = new Map<string, Owner>();
  const byMac = new Map<string, Owner>();
  for (const { name, address = '', mac } of rack.machines.values()) {
    const owner: Owner = { kind: 'machine', machine: name, most: 64 };
    const plain = normaliseAddress(address);
    // Machines that share an address, told apart by their ports only, are one.
    if (plain !== undefined && !byAddress.has(plain)) byAddress.set(plain, owner);
    if (mac !== undefined) byMac.set(mac, owner);
  }
  return {
    rack,
    byAddress,
    byMac,
    own: normaliseAddress(rack.jumphost.address),
    isProxy: inNetworks(rack.services['metadata-server'].trustedProxies),
    isInSubnet: inNetworks([rack.network.subnet ?? '0.0.0.0/0']),
  };
}
