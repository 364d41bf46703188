/** Lists the settings that must be in effect on a rack's jumphost, by the step that applies them. */
import { dirname } from 'node:path';
import { parseJson, shellWord } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import {
  firewallUnit,
  isSigned,
  machineScript,
  Statement,
  statementFile,
} from '@skolo/rack/jumphost';
import { signInRejected, sshPath, sshSettings } from '@skolo/setup/debian';
import { type Guard, type Host, onlyRoot } from '@skolo/setup/engine';
import { type ServerPlace, serverSettings } from '@skolo/setup/k3s';
import { firewallInEffect } from './firewall.ts';
import type { Effect } from './index.ts';
import {
  encryptionInEffect,
  forwardingInEffect,
  k3sInEffect,
  modesInEffect,
  repairForwarding,
  repairModes,
} from './k3s.ts';
import { accountsInEffect } from './sign-in/accounts.ts';
import { sshInEffect } from './sign-in/ssh.ts';

export interface EffectNeeds {
  rack: Rack;
  guard: Guard;
  /** Of the rack: public, PEM. */
  rackKey(): Promise<string>;
  k3s: ServerPlace;
  hasClockPod: boolean;
}

export function effectsOf(needs: EffectNeeds): Record<string, Effect> {
  const { rack, guard, rackKey, k3s, hasClockPod } = needs;
  const { address, aliases } = rack.jumphost;
  const [machine = address] = [...rack.machines.values()].flatMap((each) => each.address ?? []);
  return {
    ...(!hasClockPod && {
      clock: {
        units: [{ unit: 'chrony.service', isAlwaysOn: true, port: 'udp 123' }],
        script: clockInEffect(address),
      },
    }),
    journal: { units: [{ unit: 'systemd-journald.service' }], script: journalInEffect },
    updates: {
      units: [
        { unit: 'apt-daily.timer', isAlwaysOn: true },
        { unit: 'apt-daily-upgrade.timer', isAlwaysOn: true },
      ],
      script: [halfInstalled, replacedLibraries, overdue].join('\n'),
    },
    programs: { script: foldersInEffect, repair: repairFolders },
    address: { script: addressInEffect(address) },
    active: { check: (host) => statementInEffect(host, rack.name, rackKey) },
    firewall: {
      units: [{ unit: firewallUnit, isAlwaysOn: true }],
      script: firewallInEffect,
    },
    ssh: {
      units: [{ unit: 'ssh.service' }],
      script: `systemctl is-enabled -q ssh.service 2>/dev/null || systemctl is-enabled -q ssh.socket 2>/dev/null || echo 'ssh.service does not start at boot'
${sshInEffect(address, sshPath, sshSettings)}
${accountsInEffect(address, machine)}`,
      async check(host) {
        const fromRack = `${machine} 40000 ${address} 22`;
        const found = await signInRejected(host, guard);
        return found.length > 0 ? found : await signInRejected(host, guard, fromRack);
      },
      repair: 'systemctl enable --quiet ssh.service',
    },
    units: {
      units: [
        { unit: 'skolo-fallback.timer', isAlwaysOn: true },
        { unit: 'skolo-jumphost-archive.path', isAlwaysOn: true },
        { unit: 'skolo-k3s-certificates.timer', isAlwaysOn: true },
        { unit: 'skolo-*' },
      ],
    },
    k3s: {
      units: [{ unit: 'k3s.service', isAlwaysOn: true, port: 'tcp 6443' }],
      script: [modesInEffect, encryptionInEffect, forwardingInEffect(address)].join('\n'),
      repair: `${repairModes}\n${repairForwarding(address)}`,
    },
    label: {
      async check(host) {
        const wanted = await serverSettings(host, k3s);
        return await k3sInEffect(host, k3s.name, wanted);
      },
    },
    services: { script: `${aliasesInEffect(address, aliases)}\n${failedUnits}` },
  };
}

/** As machines do, with the rack's name server. */
function aliasesInEffect(address: string, aliases: readonly string[]): string {
  const database = address.includes(':') ? 'ahostsv6' : 'ahostsv4';
  return `for each in ${aliases.map(shellWord).join(' ')}; do
  found=$(getent ${database} "$each" | awk '{ print $1 }' | sort -u | tr '\\n' ' ')
  [ "$found" = ${shellWord(`${address} `)} ] || echo "the name $each from rack.yaml resolves to \${found:-nothing }instead of ${address}; fix the rack's DNS and the jumphost's /etc/hosts"
done`;
}

const halfInstalled = `said=$(dpkg --audit 2>&1 | sed -n 's/^ \\([^ ]*\\) .*/\\1/p' | paste -sd ' ' -)
[ -z "$said" ] || echo "by hand: packages are not fully installed, so no update is: $said; run dpkg --configure -a and apt-get -f install"`;

/** Most packages restart their own unit, but not those that use their libraries. Updates are frequent, so this is no fault. */
const replacedLibraries = `systemctl list-units --type=service --state=running --plain --no-legend 'skolo-*' k3s.service ssh.service chrony.service 'systemd-*' | while read -r unit _; do
  ! grep -qE ' /(usr/)?lib.* \\(deleted\\)$' "/proc/$(systemctl show --value --property=MainPID "$unit")/maps" 2> /dev/null || echo "$unit"
done | paste -sd ' ' - | sed -n 's/..*/note: an update has replaced libraries that these units still use: &; run systemctl restart &/p'`;

/** In the words of the alerts HostUpdatesMissing and HostRebootOverdue. A fresh installation has not run yet. */
const overdue = `[ -z "$(find /var/lib/apt/periodic/upgrade-stamp -mmin +20160 2> /dev/null)" ] || echo 'by hand: it has not received security updates for 14 days; run unattended-upgrade --dry-run --verbose'
[ -z "$(find /run/reboot-required -mmin +43200 2> /dev/null)" ] || echo 'by hand: it has required a reboot for 30 days; run skolo jumphost reboot'`;

const failedUnits = `systemctl list-units --state=failed --plain --no-legend --no-pager | while read -r unit _; do
  echo "$unit has failed; run journalctl -u $unit to see why, and systemctl reset-failed $unit to clear the failure"
done`;

/** A script: journald writes to the disk, both now and after its next start. */
const journalInEffect = `last() { systemd-analyze cat-config systemd/journald.conf | sed -n "s/^$1=//p" | tail -n 1; }
files=/var/log/journal/$(cat /etc/machine-id)
if [ "$(last Storage)" != persistent ]; then
  echo "by hand: journald uses Storage=$(last Storage), so the log does not survive a reboot; remove this setting from $(grep -ls '^Storage=' /etc/systemd/journald.conf.d/*.conf /run/systemd/journald.conf.d/*.conf | grep -v 50-skolo | tr '\\n' ' ')and run systemctl restart systemd-journald"
elif ! ls -l "/proc/$(systemctl show --value --property=MainPID systemd-journald.service)/fd" | grep -q "$files/"; then
  echo "journald does not write to $files"
fi`;

/** A script: chronyd responds to an address in the rack. */
function clockInEffect(address: string): string {
  return `case $(chronyc accheck ${shellWord(address)} 2>&1) in
  '208 '*) ;;
  *denied*) echo 'by hand: chronyd denies time requests from ${address}; remove the \`deny\` from' $(grep -ls '^ *deny' /etc/chrony/chrony.conf /etc/chrony/conf.d/*) 'and run systemctl restart chrony' ;;
  *) echo 'chronyd does not respond to chronyc' ;;
esac
[ "$(sed -n 3p /etc/adjtime 2> /dev/null)" != LOCAL ] || echo 'by hand: the hardware clock is in local time, so the time is wrong after a power cut; run timedatectl set-local-rtc 0'`;
}

/** A script: the address is still configured after the next start. */
function addressInEffect(address: string): string {
  return `device=$(ip -o address show to ${shellWord(address)} | awk 'NR == 1 { print $2 }')
index=$(cat "/sys/class/net/$device/ifindex")
file=$(sed -n 's/^NETWORK_FILE=//p' "/run/systemd/netif/links/$index" 2>/dev/null)
if [ -n "$file" ]; then
  grep -qi '^ *Address *= *${address}\\(/\\| *$\\)' "$file" || echo "$file does not set ${address} at the next boot"
  ! grep -qi '^ *DHCP *= *\\(yes\\|true\\|ipv[46]\\)' "$file" || echo "$file uses DHCP at the next boot"
elif command -v ifquery > /dev/null && ifquery "$device" > /dev/null 2>&1; then
  ifquery "$device" | grep -q '^address: ${address}\\(/\\|$\\)' || echo "/etc/network/interfaces does not set ${address} at the next boot"
  { ifquery --list; ifquery --list --allow=hotplug; } | grep -qx "$device" || echo "by hand: /etc/network/interfaces does not bring $device up at the next boot; add \\\`auto $device\\\` to it"
fi`;
}

/** @returns lines, as `withLines` reads them. A jumphost that has not replaced another one has no statement. */
async function statementInEffect(
  host: Host,
  rack: string,
  rackKey: () => Promise<string>,
): Promise<string[]> {
  const text = await host.read(statementFile);
  if (text === undefined) return [];
  const { data } = Statement.safeParse(parseJson(text));
  const machine = (await host.need(machineScript)).trim();
  const isOwn = data?.rack === rack && data.machine === machine;
  if (isOwn && isSigned(data, await rackKey())) return [];
  const why =
    data === undefined
      ? 'damaged'
      : isOwn
        ? 'not signed with the rack key'
        : 'of another rack or computer';
  return [
    `by hand: ${statementFile} is ${why}, so a jumphost that this computer has replaced would become active again; restore the file from a backup, or delete it if this computer has never replaced a jumphost`,
  ];
}

/** What root runs or trusts, besides programs: whoever can write a directory on the way to it replaces it. */
const trusted = `/opt/skolo/services /opt/skolo/packages /opt/skolo/deploy/jumphost /usr/bin /var/lib/skolo-steps /usr/local/bin /usr/local/sbin /usr/lib/systemd/system /etc/systemd/system /etc/cron.d
/etc/ssh/sshd_config.d /etc/sudoers.d /etc/skolo /etc/rancher/k3s /var/lib/skolo /var/lib/rancher/k3s/server /root/.ssh/authorized_keys`;
/** Processes without root's rights need these. */
const shared = '/ /etc /opt /opt/skolo /usr /usr/bin /usr/local /usr/local/bin /var /var/lib';

function withParents(path: string): string[] {
  return path === '/' ? [path] : [...withParents(dirname(path)), path];
}

const onTheWay = [...new Set(trusted.split(/\s/).flatMap(withParents))].join(' ');
const writable = `find -L ${onTheWay} -maxdepth 0 ( ! -uid 0 -o -perm /002 )`.replace(
  /[()]/g,
  '\\$&',
);
const closed = `find -L ${shared} -maxdepth 0 ! -perm -005`;

/**
 * Through links, and as systemd has loaded the units. Where somebody has put such a program is for a person to decide, except for what
 * `prepare` repairs below.
 */
const programsInEffect = `${onlyRoot}
only_root /usr/bin/node $(systemctl list-unit-files --plain --no-legend 'skolo-*.service' k3s.service 2> /dev/null | cut -d ' ' -f 1 | while read -r unit; do
  systemctl show --value --property=ExecStart --property=ExecStartPre "$unit"
done | tr ' =;' '\n\n\n' | sort -u | while read -r each; do
  case $each in /*.js) echo "$each" ;; /*) [ ! -f "$each" ] || [ ! -x "$each" ] || echo "$each" ;; esac
done) | while read -r found; do
  case $found in note:*) echo "$found" ;; *) ${writable} 2> /dev/null | grep -qxF "\${found%% has mode *}" || echo "by hand: $found" ;; esac
done`;

const foldersInEffect = `${programsInEffect}
${writable} -printf '%p has mode %m and owner %u, so users other than root can replace programs, settings or keys\\n' 2>/dev/null
${closed} -printf '%p has mode %m, so services without root rights cannot read it\\n' 2>/dev/null || true`;
const repairFolders = `${writable} -exec chown root {} + -exec chmod o-w {} + 2>/dev/null
${closed} -exec chmod o+rx {} + 2>/dev/null || true`;
