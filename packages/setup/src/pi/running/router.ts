/** Configures the master of a small rack as the router of its wired network, with addresses and names from rack.yaml. */

import { script, withArguments } from '@skolo/base';
import { dnsmasqConfig, type Rack } from '@skolo/rack';
import { packagesStep } from '@skolo/setup/debian';
import {
  ComputerError,
  type Guard,
  guardedStep,
  type Host,
  type Step,
  writtenHead,
} from '@skolo/setup/engine';
import { lastResort } from '@skolo/setup/k3s';
import { freeRange } from './free-range.ts';

const rulesFile = '/etc/skolo/router.nft';
const dnsFile = '/etc/skolo/router-dnsmasq.conf';
const forwardFile = '/etc/sysctl.d/90-skolo-router.conf';
const rulesUnit = 'skolo-router.service';
const dnsUnit = 'skolo-router-dns.service';

/** @throws ComputerError rack.yaml does not contain what a router requires. */
export function routerSteps(rack: Rack, guard: Guard): Step[] {
  const { subnet } = rack.network;
  const { name, address } = rack.jumphost;
  if (subnet === undefined || !/^[\d.]+\/\d+$/.test(subnet)) {
    throw new ComputerError(
      `${name}: rack.yaml does not contain an IPv4 network.subnet, which a router requires`,
    );
  }
  return [
    { ...packagesStep(['dnsmasq-base', 'nftables']), name: 'router-programs' },
    guardedStep(
      {
        name: 'router',
        about: `${subnet} can reach the internet, with addresses and names from rack.yaml`,
        async files(host) {
          const { wire, uplink } = await interfacesOf(host, address);
          return [
            { path: forwardFile, content: `${writtenHead}net.ipv4.ip_forward = 1\n` },
            { path: rulesFile, content: rulesText({ wire, uplink, subnet }) },
            { path: `/etc/systemd/system/${rulesUnit}`, content: rulesUnitText },
            { path: dnsFile, content: dnsText(rack, { wire, subnet }) },
            { path: `/etc/systemd/system/${dnsUnit}`, content: dnsUnitText },
          ];
        },
        activate: withArguments(
          script(new URL('./activate-router.sh', import.meta.url)),
          rulesFile,
          dnsFile,
          rulesUnit,
          dnsUnit,
        ),
        verify: `[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo 'IP forwarding is disabled in the kernel'
for each in ${rulesUnit} ${dnsUnit}; do
  systemctl is-active -q "$each" || echo "$each is not running"
  systemctl is-enabled -q "$each" 2>/dev/null || echo "$each does not start at boot"
done
nft list table inet skolo_router > /dev/null 2>&1 || echo 'the router firewall rules are not active'`,
      },
      guard,
    ),
  ];
}

interface Interfaces {
  wire: string;
  uplink: string;
}

/** Found by the address in rack.yaml and by the default route. @throws ComputerError One is missing. */
async function interfacesOf(host: Host, address: string): Promise<Interfaces> {
  const said = await host.need(
    `ip -4 -o address show to ${address} | awk '{ print $2; exit }'; echo; ip -4 route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p'`,
  );
  const [wire = '', ...others] = said.split('\n').filter((line) => line !== '');
  if (!said.startsWith('\n') && wire !== '') {
    const uplink = others.find((each) => each !== wire && each !== lastResort);
    if (uplink !== undefined) return { wire, uplink };
    throw new ComputerError(
      "the Pi has no default route outside the rack's wired network; connect it to the internet, for example over Wi-Fi with --wifi, and run the command again",
    );
  }
  throw new ComputerError(
    `no interface has ${address}, the jumphost's address in rack.yaml; create the SD card with skolo pi image, or configure the address, and run the command again`,
  );
}

/** In a separate table from k3s's. Only traffic from the wired network, and responses to it, pass. */
function rulesText({ wire, uplink, subnet }: Interfaces & { subnet: string }): string {
  return `${writtenHead}table inet skolo_router
delete table inet skolo_router
table inet skolo_router {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${uplink}" oifname "${wire}" ct state established,related accept
    iifname "${uplink}" oifname "${wire}" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${uplink}" ip saddr ${subnet} masquerade
  }
}
`;
}

const rulesUnitText = `${writtenHead}[Unit]
Description=skolo: internet access for the wired network
Documentation=man:nft(8)
# Its configuration may flush all rules.
After=nftables.service
Before=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft --file ${rulesFile}
ExecStop=/usr/sbin/nft delete table inet skolo_router
[Install]
WantedBy=multi-user.target
`;

/**
 * Machines with a MAC address in rack.yaml get their own address, and others an unassigned one.
 * Source: dnsmasq(8).
 */
function dnsText(rack: Rack, { wire, subnet }: { wire: string; subnet: string }): string {
  const { address } = rack.jumphost;
  const free = freeRange(rack, subnet);
  const range =
    free === undefined ? `${subnet.split('/')[0]},static` : `${free.first},${free.last},12h`;
  return `${writtenHead}interface=${wire}
except-interface=lo
bind-dynamic
no-hosts
domain-needed
bogus-priv
domain=${rack.network.domain}
dhcp-range=${range}
dhcp-authoritative
dhcp-option=option:router,${address}
dhcp-option=option:dns-server,${address}
dhcp-option=option:ntp-server,${address}
dhcp-leasefile=/var/lib/misc/skolo-router.leases
${dnsmasqConfig(rack)}`;
}

const dnsUnitText = `${writtenHead}[Unit]
Description=skolo: DHCP and DNS for the wired network
Documentation=man:dnsmasq(8)
After=network-online.target
Wants=network-online.target
[Service]
ExecStartPre=/bin/mkdir -p /var/lib/misc
# With systemd-resolved, this file lists the upstream name servers.
ExecStart=/bin/sh -c 'file=/run/systemd/resolve/resolv.conf; [ -e "$file" ] || file=/etc/resolv.conf; exec /usr/sbin/dnsmasq --keep-in-foreground --conf-file=${dnsFile} --resolv-file="$file"'
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
`;
