/** Networks, as CIDRs: which are within others. */
import ipaddr from 'ipaddr.js';

/** Addresses of pods, where k3s is not told otherwise. */
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

/** The same addresses in fewer networks: without those that others hold, each once, in the same order. */
export function merged(networks: readonly string[]): string[] {
  const different = [...new Set(networks)];
  return different.filter(
    (network) => !different.some((other) => other !== network && contains(other, network)),
  );
}
