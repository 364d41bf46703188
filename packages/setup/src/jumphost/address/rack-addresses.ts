/** Addresses in rack.yaml, and those that stand for the internet. */
import type { Rack } from '@skolo/rack';

/** TEST-NET-1 and its IPv6 counterpart (RFC 5737, RFC 3849) stand for the internet. */
export const outside = { ip: '192.0.2.1', ip6: '2001:db8::1' };

/** Addresses of all machines and pieces of equipment. */
export function equipmentOf({ equipment, machines }: Rack): string[] {
  return [...equipment.values(), ...machines.values()].flatMap((each) => each.address ?? []);
}

/** The device or jumphost that connects the rack to the internet. */
export function routerOf({ jumphost, equipment }: Rack) {
  return [jumphost, ...equipment.values()].find(({ uplink }) => uplink === 'internet');
}

export function familyOf(address: string): 'ip' | 'ip6' {
  return address.includes(':') ? 'ip6' : 'ip';
}
