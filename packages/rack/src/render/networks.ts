/** Comparison of networks in CIDR notation, and those of a rack. */
import ipaddr from 'ipaddr.js';
import { hostsOf } from '../formats/hosts.ts';
import type { Rack } from '../rack/rack.ts';

/** The default of k3s. */
export const podNetwork = '10.42.0.0/16';

/** One address, as a network. */
export function networkOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** Whether each address of `inner` is one of `outer`. */
export function contains(outer: string, inner: string): boolean {
  const [outerBase, outerBits] = ipaddr.parseCIDR(outer);
  const [innerBase, innerBits] = ipaddr.parseCIDR(inner);
  return (
    outerBase.kind() === innerBase.kind() &&
    outerBits <= innerBits &&
    innerBase.match(outerBase, outerBits)
  );
}

/** Whether they share an address. */
export function overlap(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one);
}

/** Without duplicates and networks within others. */
export function merged(networks: readonly string[]): string[] {
  const different = [...new Set(networks)];
  return different.filter(
    (network) => !different.some((other) => other !== network && contains(other, network)),
  );
}

/** The subnet, or without one all addresses. */
export function networksOf(rack: Rack): string[] {
  const { subnet } = rack.network;
  return subnet === undefined ? hostsOf(rack).map(({ address }) => networkOf(address)) : [subnet];
}

/** The port of a URL, if its host is one of these names and addresses. */
export function portsAt(url: string | undefined, hosts: readonly (string | undefined)[]): number[] {
  if (url === undefined || !URL.canParse(url)) return [];
  const { protocol, hostname, port } = new URL(url);
  if (!hosts.includes(hostname.replaceAll(/[[\]]/g, ''))) return [];
  return [Number(port || (protocol === 'https:' ? 443 : 80))];
}
