/** The jumphost's firewall: which ports accept connections from where. */

import { agentsPort, k3sPort, kubeletPort, type Rack, servicePorts } from '@skolo/rack';
import { firewallMachines, firewallUnit, machinesFile, statementPort } from '@skolo/rack/jumphost';
import {
  type Guard,
  guardedStep,
  type Host,
  linesOf,
  type Step,
  writtenHead,
} from '@skolo/setup/engine';
import { firewallRules } from '../effective/effects.ts';

/**
 * Accepts everything from the rack except k3s, which only machines can reach, and SSH from everywhere. In a separate table: kube-proxy
 * and k3s have tables in the same ruleset, which Debian's nftables.service would flush.
 *
 * @param subnet of the rack
 */
export function firewallStep(rack: Rack, subnet: string, guard: Guard): Step {
  return guardedStep(
    {
      name: 'firewall',
      about: `${subnet} can reach all ports except those of k3s, machines can also reach the k3s API server, and everyone else can reach only SSH`,
      files: async (host) => [
        { path: machinesFile, content: firewallMachines(rack, subnet) },
        { path: firewallRules, content: rulesText(rack, subnet, await sshPorts(host)) },
        { path: `/etc/systemd/system/${firewallUnit}`, content: unitText },
      ],
      // Also for the rollback to no firewall.
      activate: `set -e
systemctl daemon-reload
if [ -e ${firewallRules} ]; then
  nft --check --file ${firewallRules}
  systemctl enable --quiet ${firewallUnit}
  systemctl reload-or-restart ${firewallUnit}
else
  nft delete table inet skolo 2>/dev/null || true
  systemctl reset-failed ${firewallUnit} 2>/dev/null || true
fi`,
    },
    guard,
  );
}

async function sshPorts(host: Host): Promise<number[]> {
  const lines = linesOf(await host.need('mkdir -p /run/sshd; sshd -T'));
  return lines.flatMap((line) => {
    const port = /^port (\d+)$/.exec(line)?.[1];
    return port === undefined ? [] : [Number(port)];
  });
}

function rulesText({ jumphost }: Rack, subnet: string, ports: readonly number[]): string {
  const [family, type] = subnet.includes(':') ? ['ip6', 'ipv6_addr'] : ['ip', 'ipv4_addr'];
  const { port: tokenPort } = servicePorts['metadata-server'];
  // A router assigns addresses over DHCP.
  const isRouter = jumphost.uplink === 'internet';
  return `${writtenHead}# Put your own rules into a table of your own.
table inet skolo
delete table inet skolo
table inet skolo {
  set machines {
    type ${type}
    flags interval
  }
  # Kubernetes opens a node port for each port of a LoadBalancer, because ServiceLB requires it, and redirects it to the pod before the
  # input chain. Only agents use one. Replies to connections of pods may arrive on these ports, too.
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
    iifname { "lo", "cni0" } accept
    ct state new fib daddr type local meta l4proto { 6, 17 } th dport 30000-32767 th dport != ${agentsPort} drop
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    # Pods on this computer. Their NetworkPolicies cover neither its other addresses nor its IPv6 addresses.
    iifname "cni0" ${family} daddr ${jumphost.address} accept
    iifname "cni0" tcp dport { ${tokenPort}, ${k3sPort}, ${kubeletPort} } reject with tcp reset
    iifname "cni0" accept
    ct state established,related accept
    ct state invalid drop
    # ICMP and ICMPv6, as numbers: protocol names need the package netbase.
    meta l4proto { 1, 58 } accept
    udp dport { 68, 546 } accept
    # Statements of jumphosts.
    ip6 saddr fe80::/10 udp dport ${statementPort} accept
${isRouter ? '    # DHCP clients have no address yet.\n    udp dport 67 accept\n' : ''}    tcp dport { ${ports.join(', ')} } accept
    # k3s agents join and work through the API server. Only its own API server and Prometheus use the kubelet of this computer.
    ${family} saddr @machines tcp dport ${k3sPort} accept
    tcp dport { ${k3sPort}, ${kubeletPort} } reject with tcp reset
    ${family} saddr ${subnet} accept
  }
}
include "${machinesFile}"
`;
}

const unitText = `${writtenHead}[Unit]
Description=skolo: firewall of the jumphost
Documentation=man:nft(8)
DefaultDependencies=no
# Its configuration may flush all rules.
After=nftables.service
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft --file ${firewallRules}
ExecReload=/usr/sbin/nft --file ${firewallRules}
ExecStop=/usr/sbin/nft delete table inet skolo
[Install]
WantedBy=sysinit.target
`;
