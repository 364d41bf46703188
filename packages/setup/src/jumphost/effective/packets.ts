/** Lists packets that the jumphost's firewall must let pass, with the values that expressions of nft(8) read from them. */
import { agentsPort, k3sPort, type Rack, servicePorts } from '@skolo/rack';

export interface Packet {
  /** For messages: `tcp port 80 from 192.168.1.101 to 192.168.1.8`. */
  text: string;
  family: 'ip' | 'ip6' | 'arp';
  /** Of the kernel, which it traverses. */
  hooks: readonly string[];
  /** By expression, such as `ip saddr`: all names of the value. */
  values: Readonly<Record<string, readonly (string | number)[]>>;
}

const ways = {
  in: ['ingress', 'prerouting', 'input'],
  out: ['output', 'postrouting', 'egress'],
  through: ['ingress', 'prerouting', 'forward', 'postrouting', 'egress'],
};
/** TEST-NET-1 and its IPv6 counterpart (RFC 5737, RFC 3849) stand for the internet. */
export const outside = { ip: '192.0.2.1', ip6: '2001:db8::1' };
/** The first ones of a node, in k3s's default networks. */
const pods = { ip: '10.42.0.2', ip6: 'fd00:42::2' };
/** Protocol names require the package netbase. */
const numbers = { tcp: [6], udp: [17], icmp: [1], icmpv6: ['ipv6-icmp', 58] };

type Fields = Readonly<Record<string, number | string>>;

interface Flow {
  way: keyof typeof ways;
  from: string;
  to: string;
  /** Interfaces. */
  iif?: string;
  oif?: string;
  tcp?: readonly number[];
  udp?: readonly number[];
}

/** @param device the interface with the jumphost's address */
export function packetsOf(rack: Rack, device: string): Packet[] {
  const { address } = rack.jumphost;
  const family = familyOf(address);
  const served = [22, ...Object.values(servicePorts).map(({ port }) => port)];
  const internet = { to: outside[family], oif: device, tcp: [443, 53], udp: [53, 123] };
  const lo = family === 'ip' ? '127.0.0.1' : '::1';
  const flows = equipmentOf(rack).flatMap((each): Flow[] => {
    const equipment = { to: each, oif: device, tcp: [22, 80, 443], udp: [161] };
    return [
      {
        way: 'in',
        from: each,
        to: address,
        iif: device,
        tcp: [...served, k3sPort, agentsPort],
        udp: [123],
      },
      { way: 'out', from: address, ...equipment },
      { way: 'through', from: pods[family], iif: 'cni0', ...equipment },
      { way: 'through', from: each, iif: device, to: pods[family], oif: 'cni0', tcp: served },
    ];
  });
  flows.push(
    { way: 'out', from: address, ...internet },
    { way: 'through', from: pods[family], iif: 'cni0', ...internet },
    { way: 'in', from: pods[family], to: address, iif: 'cni0', tcp: [k3sPort] },
    { way: 'in', from: lo, to: lo, iif: 'lo', tcp: [k3sPort] },
    { way: 'out', from: lo, to: lo, oif: 'lo', tcp: [k3sPort] },
  );
  return [
    ...flows.filter(({ from, to }) => familyOf(from) === familyOf(to)).flatMap(packetsIn),
    arp('in', interfaces(device, '')),
    arp('out', interfaces('', device)),
  ];
}

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

function arp(way: 'in' | 'out', values: Packet['values']): Packet {
  const text = 'ARP, without which no IPv4 address is reachable,';
  return { text, family: 'arp', hooks: ways[way], values: { ...values, 'arp operation': [] } };
}

function packetsIn({ way, from, to, iif = '', oif = '', tcp = [], udp = [] }: Flow): Packet[] {
  const family = familyOf(from);
  const client = 40_000;
  const headers: { protocol: keyof typeof numbers; state?: string; fields: Fields }[] = [
    ...tcp.map((dport) => ({ protocol: 'tcp' as const, fields: { dport, sport: client } })),
    ...udp.map((dport) => ({ protocol: 'udp' as const, fields: { dport, sport: client } })),
    { protocol: 'tcp', state: 'established', fields: { dport: client, sport: 22 } },
    { protocol: 'udp', state: 'established', fields: { dport: client, sport: 161 } },
    { protocol: family === 'ip' ? 'icmp' : 'icmpv6', fields: { type: 'echo-request' } },
  ];
  return headers.map(({ protocol, state = 'new', fields }) => {
    const names = [protocol, ...numbers[protocol]];
    const port = state === 'new' ? fields.dport : undefined;
    const what = port === undefined ? `${protocol} responses` : `${protocol} port ${port}`;
    return {
      text: `${'type' in fields ? 'pings' : what} from ${from} to ${to}`,
      family,
      hooks: ways[way],
      values: {
        ...interfaces(iif, oif),
        [`${family} saddr`]: [from],
        [`${family} daddr`]: [to],
        [family === 'ip' ? 'ip protocol' : 'ip6 nexthdr']: names,
        l4proto: names,
        nfproto: family === 'ip' ? ['ipv4', 2] : ['ipv6', 10],
        protocol: [family],
        state: [state],
        ...Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [`${protocol} ${name}`, [value]]),
        ),
      },
    };
  });
}

function interfaces(iif: string, oif: string): Packet['values'] {
  return { iif: [iif], iifname: [iif], oif: [oif], oifname: [oif] };
}
