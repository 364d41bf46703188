/** Sets the fixed address of a computer, and decides which interface and which Debian program gets it: ifupdown or systemd-networkd. */
import { BlockList } from 'node:net';
import { errorText, shellWord } from '@skolo/base';
import {
  ComputerError,
  changeGuarded,
  type FileContent,
  type Guard,
  type Host,
} from '@skolo/setup/engine';
import type { FixedAddress } from './interfaces.ts';
import * as interfaces from './interfaces.ts';
import { type NetworkFacts, readFacts } from './network-facts.ts';
import * as networkd from './networkd.ts';
import { whoHas } from './probe.ts';

interface WantedAddress {
  address: string;
  /** From rack.yaml, for an address that no interface has yet. */
  subnet: string;
  /** The interface that has this address receives the new one; default: the one with the default route. */
  previous?: string;
}

interface Change {
  files: FileContent[];
  activate: string;
}

/**
 * Assigns the address to the computer permanently, replacing other IPv4 addresses of the interface. The previous settings return
 * automatically unless a new session can be opened.
 *
 * @param more changes that are made and undone with it, after the address is set; `$device` is the interface
 * @throws ComputerError Nothing was changed, and the message says what to do; or no session could be opened, and it was undone.
 */
export async function changeAddress(
  host: Host,
  wanted: WantedAddress,
  guard: Guard,
  more: Change = { files: [], activate: ':' },
): Promise<void> {
  const { address } = wanted;
  const plan = await planOf(host, wanted);
  if ('why' in plan) {
    const { why, remedy = `configure ${address} manually` } = plan;
    throw new ComputerError(`${host.name}: ${why}; ${remedy}`);
  }
  const { change, fixed, isThere } = plan;
  const other = isThere ? undefined : await whoHas(host, address, fixed.name);
  if (other !== undefined) {
    throw new ComputerError(
      `${host.name}: another computer (${other}) uses ${address}; turn it off, or change jumphost.address in rack.yaml`,
    );
  }
  const files = [...change.files, ...more.files];
  const activate = `device=${shellWord(fixed.name)}
{
${change.activate}
} && {
${more.activate}
}`;
  await changeGuarded(host, { name: 'address', files, activate }, guard);
}

/** Why `changeAddress` cannot change it; undefined if it can. Changes nothing. */
export async function whyNoAddress(host: Host, wanted: WantedAddress): Promise<string | undefined> {
  const plan = await planOf(host, wanted);
  return 'why' in plan ? plan.why : undefined;
}

interface Unplanned {
  why: string;
  /** How a person assigns the address. */
  remedy?: string;
}
type Plan = Unplanned | { change: Change; fixed: FixedAddress; isThere: boolean };

async function planOf(host: Host, { address, subnet, previous }: WantedAddress): Promise<Plan> {
  const facts = await readFacts(host, address, previous);
  const fixed = fixedAddress(facts, address, subnet);
  if (typeof fixed === 'string') return { why: fixed };
  const change = changeOf(facts, fixed);
  if ('why' in change) return change;
  return { change, fixed, isThere: facts.isThere };
}

/** A text: why it is unknown. */
function fixedAddress(facts: NetworkFacts, address: string, subnet: string): FixedAddress | string {
  const { owner, isThere, defaults, addresses } = facts;
  if (address.includes(':')) return 'only IPv4 addresses can be configured automatically';
  const routes = defaults.filter(({ name }) => owner === undefined || name === owner);
  if (routes.length > 1) return `the computer has more than one default route`;
  const [route] = routes;
  const name = owner ?? route?.name;
  if (name === undefined) {
    return `no interface has a default route (interfaces with an IPv4 address: ${addresses.map((each) => each.name).join(', ') || 'none'})`;
  }
  const present = addresses.find((each) => each.name === name && each.address === address);
  const [, length] = subnet.split('/');
  const prefix = present?.prefix ?? Number(length);
  if (route !== undefined && !isThere && !isIn(route.gateway, subnet)) {
    return `the gateway ${route.gateway} is not in ${subnet}`;
  }
  return { name, address, prefix, ...(route && { gateway: route.gateway }) };
}

/** @param subnet of the same family */
export function isIn(address: string, subnet: string): boolean {
  const [network = '', length = '32'] = subnet.split('/');
  const family = network.includes(':') ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, Number(length), family);
  return list.check(address, family);
}

function changeOf(
  { ifupdown, networkd: file, networkManager }: NetworkFacts,
  fixed: FixedAddress,
): Change | Unplanned {
  const { name } = fixed;
  const owners = [
    ...(ifupdown.length > 0 ? ['ifupdown'] : []),
    ...(file === undefined ? [] : ['systemd-networkd']),
    ...(networkManager === undefined ? [] : ['NetworkManager']),
  ];
  if (owners.length === 0) {
    return { why: `neither ifupdown nor systemd-networkd manages the interface ${name}` };
  }
  if (owners.length > 1) {
    return { why: `more than one program manages the interface ${name}: ${owners.join(', ')}` };
  }
  if (networkManager !== undefined) {
    return {
      why: `NetworkManager manages the interface ${name}`,
      remedy: `run: ${nmcli(networkManager, fixed)}`,
    };
  }
  const flush = `ip -4 address flush dev ${shellWord(name)} scope global`;
  if (file !== undefined) {
    if (!file.path.startsWith('/etc/systemd/network/')) {
      return { why: `another program (perhaps netplan) writes ${file.path}` };
    }
    return {
      files: [
        {
          path: networkd.networkdFile.path(name),
          content: networkd.withFixedAddress(file.text, fixed, file.match),
        },
      ],
      activate: `${flush}\nsystemctl restart systemd-networkd.service`,
    };
  }
  const [stanza, ...more] = ifupdown;
  if (stanza === undefined || more.length > 0) {
    const paths = ifupdown.map(({ path }) => path).join(', ');
    return { why: `more than one file configures ${name}: ${paths}` };
  }
  try {
    const content = interfaces.withFixedAddress(stanza.text, fixed);
    return {
      files: [{ path: stanza.path, content }],
      // A DHCP client belongs to the previous stanza, which ifdown no longer reads.
      activate: `for each in /run/dhclient.${name}.pid /run/udhcpc.${name}.pid; do
  [ ! -e "$each" ] || kill "$(cat "$each")" 2>/dev/null || true
done
ifdown --force ${shellWord(name)} 2>/dev/null || true
${flush}
ifup --force ${shellWord(name)}`,
    };
  } catch (error) {
    return { why: `${stanza.path}: ${errorText(error)}` };
  }
}

/** The commands that assign the address to a connection. */
function nmcli(connection: string, { address, prefix, gateway }: FixedAddress): string {
  const route = gateway === undefined ? '' : ` ipv4.gateway ${gateway}`;
  const id = shellWord(connection);
  return `nmcli connection modify ${id} ipv4.method manual ipv4.addresses ${address}/${prefix}${route} ipv4.dns NAME-SERVER && nmcli connection up ${id}`;
}
