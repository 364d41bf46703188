/** Steps that may lock everybody out: firewall and sshd. */
import { shellWord } from '@skolo/base';
import { type Rack, servicePorts } from '@skolo/rack';
import { firewallMachines, firewallUnit, machinesFile, statementPort } from '@skolo/rack/jumphost';
import { differingFiles, linesOf, withLines } from '../files.ts';
import { changeGuarded, type Guard, type Trial, unconfirmed } from '../guarded-change.ts';
import type { FileContent, Host } from '../host.ts';
import type { Step } from '../step.ts';

interface GuardedStep extends Pick<Step, 'name' | 'about'> {
  files(host: Host): Promise<FileContent[]>;
  activate: string;
  /** Prints a line for each thing that is not as it has to be. */
  verify?: string;
  trial?: Trial;
}

/** A step whose change returns by itself, unless a new session gets in after it. */
export function guardedStep(step: GuardedStep, guard: Guard): Step {
  const { name, about, activate, verify = '', trial } = step;
  return {
    name,
    about,
    async check(host) {
      const differs = await differingFiles(host, await step.files(host));
      const said = await host.need(`${unconfirmed}\n${verify}`);
      return withLines({ differs }, said);
    },
    async apply(host) {
      const change = { name, activate, files: await step.files(host), ...(trial && { trial }) };
      await changeGuarded(host, change, guard);
    },
  };
}

export const firewallRules = '/etc/skolo/firewall.nft';
/** Of the API server, and of the kubelet. */
const [k3sPort, kubeletPort] = [6443, 10_250];

/**
 * Everything from the rack but k3s, which only machines reach, and ssh from everywhere. In a table of its own: kube-proxy and k3s
 * have theirs in the same ruleset, which Debian's nftables.service would flush.
 *
 * @param subnet of the rack
 */
export function firewallStep(rack: Rack, subnet: string, guard: Guard): Step {
  return guardedStep(
    {
      name: 'firewall',
      about: `everything from ${subnet} but k3s, k3s from machines, and only ssh from elsewhere`,
      files: async (host) => [
        { path: machinesFile, content: firewallMachines(rack, subnet) },
        { path: firewallRules, content: rulesText(rack, subnet, await sshPorts(host)) },
        { path: `/etc/systemd/system/${firewallUnit}`, content: unitText },
      ],
      // Also for the way back, to no firewall.
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
  // A router gives addresses by DHCP.
  const isRouter = jumphost.uplink === 'internet';
  return `# Written by \`skolo jumphost prepare\`. An edit is undone by the next run; rules of your own belong into a table of your own.
table inet skolo
delete table inet skolo
table inet skolo {
  set machines {
    type ${type}
    flags interval
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    # Pods of this computer. Its other addresses, and those of IPv6, are in none of their NetworkPolicies.
    iifname "cni0" ${family} daddr ${jumphost.address} accept
    iifname "cni0" tcp dport { ${tokenPort}, ${k3sPort}, ${kubeletPort} } reject with tcp reset
    iifname "cni0" accept
    ct state established,related accept
    ct state invalid drop
    # ICMP of both kinds: without netbase there are no names of protocols.
    meta l4proto { 1, 58 } accept
    udp dport { 68, 546 } accept
    # Statements of jumphosts.
    ip6 saddr fe80::/10 udp dport ${statementPort} accept
${isRouter ? '    # Who asks for an address has none.\n    udp dport 67 accept\n' : ''}    tcp dport { ${ports.join(', ')} } accept
    # Agents of k3s join and work through the API server. The kubelet of this computer is for its own API server and Prometheus.
    ${family} saddr @machines tcp dport ${k3sPort} accept
    tcp dport { ${k3sPort}, ${kubeletPort} } reject with tcp reset
    ${family} saddr ${subnet} accept
  }
}
include "${machinesFile}"
`;
}

const unitText = `# Written by \`skolo jumphost prepare\`.
[Unit]
Description=skolo: firewall of the jumphost
Documentation=man:nft(8)
DefaultDependencies=no
# Whose configuration may flush all rules.
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

/** As \`sshd -T\` prints them. */
export const sshSettings = {
  permitrootlogin: 'prohibit-password',
  passwordauthentication: 'no',
  kbdinteractiveauthentication: 'no',
  allowtcpforwarding: 'yes',
  // A desk that is gone frees what it has within a minute.
  clientaliveinterval: '15',
  clientalivecountmax: '4',
  // skolo run goes to many machines through one connection.
  maxsessions: '100',
};

/** sshd reads it before its own settings, and the first value of a key counts. */
export const sshFile: FileContent = {
  path: '/etc/ssh/sshd_config.d/10-skolo.conf',
  content: `# Written by \`skolo jumphost prepare\`. An edit is undone by the next run.\n${Object.entries(
    sshSettings,
  )
    .map(([key, value]) => `${key} ${value}\n`)
    .join('')}`,
};

/** What skolo writes is tried with what others have written: sshd reads all of it at once. */
export const sshTrial: Trial = {
  server: `exec sh -c ${shellWord(`[ "$(id -u)" = 0 ] || set -- sudo -n
exec "$@" sh -c 'mkdir -p /run/sshd; [ ! -r /etc/default/ssh ] || . /etc/default/ssh; exec /usr/sbin/sshd -i $SSHD_OPTS'`)}`,
  suspects: `grep -sHniE '^[[:space:]]*((allow|deny)(users|groups)|authenticationmethods|authorizedkeys|((pubkey\\w+|permitroot\\w+)[[:space:]]+no)|match)' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf`,
};

/** Keys alone, connections that end when a desk is gone, and room for many sessions. */
export function sshStep(guard: Guard): Step {
  return guardedStep(
    {
      name: 'ssh',
      about: 'sshd accepts keys alone, and ends connections of desks that are gone',
      files: async () => [sshFile],
      trial: sshTrial,
      activate: 'mkdir -p /run/sshd && sshd -t && systemctl reload ssh.service',
    },
    guard,
  );
}
