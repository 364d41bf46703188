/** Decides which machines the jumphost's firewall lets connect to k3s, from rack.yaml. */
import type { Rack } from '../rack/rack.ts';

export const firewallUnit = 'skolo-firewall.service';

/** nft(8) includes it in the firewall, which has the set `machines`. */
export const machinesFile = '/etc/skolo/machines.nft';

/**
 * Text of that file: the machines, whose k3s agents need the API server. A machine without an address in rack.yaml may have any
 * of the subnet.
 *
 * @param subnet of the rack, which contains all of its addresses
 */
export function firewallMachines({ machines }: Rack, subnet: string): string {
  const addresses = [...machines.values()].map(({ address }) => address ?? subnet);
  const elements = addresses.includes(subnet) ? [subnet] : [...new Set(addresses)];
  const text =
    elements.length === 0 ? '' : `add element inet skolo machines { ${elements.join(', ')} }\n`;
  return `# Written by skolo from rack.yaml: addresses whose k3s agents reach the API server.\n${text}`;
}
