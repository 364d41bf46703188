/** Comparison of networks in CIDR notation. */
import ipaddr from 'ipaddr.js';

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
