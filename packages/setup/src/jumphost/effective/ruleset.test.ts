/** The kernel's rules, listed by nft in a network namespace, as `verify` judges them. */
import { fileURLToPath } from 'node:url';
import { run } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { lacks } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { packetsOf } from './packets.ts';
import { faultsIn } from './ruleset.ts';

const rack = parseRack(
  `
rack: rack4
timezone: UTC
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
machines: { rpi-1: { kind: rpi, address: 192.168.1.101 } }
equipment: { switch-1: { model: edgeswitch, address: 192.168.1.11 } }
`,
  { file: 'rack.yaml' },
);
const k3s = fileURLToPath(new URL('../../../testdata/k3s.iptables', import.meta.url));

/** @returns `CHAIN EFFECT PACKET (BY)` for each fault */
async function judge(script: string): Promise<string[]> {
  const { stdout } = await run('unshare', [
    '--net',
    'sh',
    '-ec',
    `ip link add eth0 type bridge\n${script}\nnft -j list ruleset`,
  ]);
  return faultsIn(JSON.parse(stdout), packetsOf(rack, 'eth0')).map(
    ({ chain, effect, packet, by }) => `${chain} ${effect} ${packet.text} (${by})`,
  );
}

/** A chain of a person's own table. */
function chain(hook: string, rules: readonly string[], family = 'inet'): string {
  const lines = rules.map((rule) => `add rule ${family} corp c ${rule}`).join('\n');
  return `nft -f - <<'END'
add table ${family} corp
add chain ${family} corp other
add chain ${family} corp c { type filter hook ${hook} }
${lines}
END`;
}

const input = 'input priority -150;';
describe.skipIf(lacks('root', 'ip', 'nft', 'iptables'))('rules of others', () => {
  it.each([
    ['nothing', ':'],
    ['k3s, Docker, fail2ban and Tailscale', `iptables-restore < ${k3s}`],
    ['flood protection', chain(input, ['tcp dport 22 limit rate over 50/second drop'])],
    ['banned addresses', chain(input, ['ip saddr { 203.0.113.0/24, 198.51.100.7 } drop'])],
    [
      "a policy that accepts the rack's packets",
      `${chain('input priority 0; policy drop;', ['ct state vmap { established : accept, related : accept, invalid : drop }', 'iifname { "lo", "cni0" } accept', 'ip saddr 192.168.1.0/24 accept'])}`,
    ],
    [
      'another interface',
      chain(input, ['iifname "wwan*" drop', 'iifname != "wwan0" accept', 'drop']),
    ],
  ])('accept %s', async (_, script) => {
    expect(await judge(script)).toEqual([]);
  });

  it.each([
    [
      'the policy of an input chain',
      'iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT',
      'ip filter INPUT drops tcp port 22 from 192.168.1.11 to 192.168.1.8 (policy)',
    ],
    [
      'the policy of Docker, without rules of flannel',
      'iptables -P FORWARD DROP',
      'ip filter FORWARD drops tcp port 22 from 10.42.0.2 to 192.168.1.11 (policy)',
    ],
    [
      'one port of the rack, at another priority',
      chain(input, ['ip saddr 192.168.1.0/24 tcp dport 80 drop']),
      'inet corp c drops tcp port 80 from 192.168.1.11 to 192.168.1.8 (rule 3)',
    ],
    [
      'one machine, in a chain that the base chain jumps to',
      `${chain(input, ['jump other'])}\nnft add rule inet corp other ip saddr 192.168.1.96-192.168.1.103 reject`,
      'inet corp other drops tcp port 22 from 192.168.1.101 to 192.168.1.8 (rule 4)',
    ],
    [
      'a named set',
      `nft add table inet corp; nft 'add set inet corp bad { type ipv4_addr; flags interval; }'; nft 'add element inet corp bad { 192.168.1.0/28 }'; ${chain(input, ['ip saddr @bad drop'])}`,
      'inet corp c drops tcp port 22 from 192.168.1.11 to 192.168.1.8 (rule 4)',
    ],
    [
      'SNMP to a switch, in the output chain',
      chain('output priority 0;', ['udp dport { 160-170 } drop']),
      'inet corp c drops udp port 161 from 192.168.1.8 to 192.168.1.11 (rule 3)',
    ],
    [
      'responses of equipment',
      'iptables -t raw -A PREROUTING -p udp --sport 161 -j DROP',
      'ip raw PREROUTING drops udp responses from 192.168.1.11 to 192.168.1.8 (rule 2)',
    ],
    [
      'a redirection of port 80',
      'iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080',
      'ip nat PREROUTING redirects tcp port 80 from 192.168.1.11 to 192.168.1.8 (rule 2)',
    ],
    [
      'a part of the packets',
      'iptables -A INPUT -m statistic --mode random --probability 0.2 -j DROP',
      'ip filter INPUT drops tcp port 22 from 192.168.1.11 to 192.168.1.8 (rule 2)',
    ],
    [
      'a verdict map',
      chain(input, ['tcp dport vmap { 22 : accept, 6443 : drop }']),
      'inet corp c drops tcp port 6443 from 192.168.1.11 to 192.168.1.8 (rule 4)',
    ],
    [
      'packets on the interface, before routing',
      chain('ingress device "eth0" priority 0;', ['ip protocol icmp drop'], 'netdev'),
      'netdev corp c drops pings from 192.168.1.11 to 192.168.1.8 (rule 3)',
    ],
    [
      'ARP',
      chain('input priority 0; policy drop;', [], 'arp'),
      'arp corp c drops ARP, without which no IPv4 address is reachable, (policy)',
    ],
    [
      'requests of processes on the jumphost itself',
      chain(input, ['iif lo tcp dport 6443 drop']),
      'inet corp c drops tcp port 6443 from 127.0.0.1 to 127.0.0.1 (rule 3)',
    ],
  ])('drop %s', async (_, script, fault) => {
    expect(await judge(script)).toContain(fault);
  });
});
