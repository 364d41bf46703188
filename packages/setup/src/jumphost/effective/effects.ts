/** Lists the settings that must be in effect on a rack's jumphost, by the step that applies them. */
import { dirname } from 'node:path';
import { shellWord } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { firewallUnit, statementPort } from '@skolo/rack/jumphost';
import { signInRejected, sshPath } from '@skolo/setup/debian';
import { type Guard, onlyRoot } from '@skolo/setup/engine';
import { firewallInEffect } from './firewall.ts';
import type { Effect } from './index.ts';
import {
  encryptionInEffect,
  forwardingInEffect,
  modesInEffect,
  repairForwarding,
  repairModes,
} from './k3s.ts';
import { sshInEffect } from './ssh.ts';

export interface EffectNeeds {
  rack: Rack;
  guard: Guard;
  hasClockPod: boolean;
}

export function effectsOf(needs: EffectNeeds): Record<string, Effect> {
  const { rack, guard, hasClockPod } = needs;
  const { address } = rack.jumphost;
  const [machine = address] = [...rack.machines.values()].flatMap((each) => each.address ?? []);
  return {
    ...(!hasClockPod && {
      clock: {
        units: [{ unit: 'chrony.service', isAlwaysOn: true, port: 'udp 123 127.0.0.1' }],
      },
    }),
    journal: { units: [{ unit: 'systemd-journald.service' }], script: journalInEffect },
    updates: {
      units: [
        { unit: 'apt-daily.timer', isAlwaysOn: true },
        { unit: 'apt-daily-upgrade.timer', isAlwaysOn: true },
      ],
      script: [halfInstalled, replacedLibraries, overdue].join('\n'),
      renew: restartOwn,
    },
    programs: { script: `${foldersInEffect}\n${programsRun}`, repair: repairFolders },
    address: { script: addressInEffect(address) },
    active: {
      units: [{ unit: guardUnit, isAlwaysOn: true, port: `udp ${statementPort} ::1` }],
    },
    firewall: {
      units: [{ unit: firewallUnit, isAlwaysOn: true }],
      script: firewallInEffect,
    },
    ssh: {
      units: [{ unit: 'ssh.service' }],
      script: sshInEffect(address, sshPath),
      async check(host) {
        const fromRack = `${machine} 40000 ${address} 22`;
        const found = await signInRejected(host, guard);
        return found.length > 0 ? found : await signInRejected(host, guard, fromRack);
      },
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
      units: [{ unit: 'k3s.service', isAlwaysOn: true, port: 'tcp 6443 127.0.0.1' }],
      script: [modesInEffect, encryptionInEffect, forwardingInEffect(address)].join('\n'),
      repair: `${repairModes}\n${repairForwarding(address)}`,
    },
    services: { script: failedUnits },
  };
}

const guardUnit = 'skolo-active-guard.service';

const halfInstalled = `said=$(dpkg --audit 2>&1 | sed -n 's/^ \\([^ ]*\\) .*/\\1/p' | paste -sd ' ' -)
[ -z "$said" ] || echo "by hand: packages are not fully installed, so no update is: $said; run dpkg --configure -a and apt-get -f install"`;

/**
 * Most packages restart their own unit, but not those that use their libraries. Updates are frequent, so this is no fault. k3s contains its
 * libraries.
 */
const withReplacedLibraries = `with_replaced_libraries() {
  systemctl list-units --type=service --state=running --plain --no-legend "$@" | while read -r unit _; do
    ! grep -qE ' /(usr/)?lib.* \\(deleted\\)$' "/proc/$(systemctl show --value --property=MainPID "$unit")/maps" 2> /dev/null || echo "$unit"
  done | paste -sd ' ' -
}`;
const replacedLibraries = `${withReplacedLibraries}
with_replaced_libraries 'skolo-*' ssh.service chrony.service 'systemd-*' | sed -n 's/..*/note: an update has replaced libraries that these units still use: &; run systemctl restart &/p'`;
const restartOwn = `${withReplacedLibraries}
for each in $(with_replaced_libraries ${guardUnit} skolo-watchdog.service); do systemctl restart "$each"; done`;

/** In the words of the alerts HostUpdatesMissing and HostRebootOverdue. A fresh installation has not run yet. */
const overdue = `[ -z "$(find /var/lib/apt/periodic/upgrade-stamp -mmin +20160 2> /dev/null)" ] || echo 'by hand: it has not received security updates for 14 days; run unattended-upgrade --dry-run --verbose'
[ -z "$(find /run/reboot-required -mmin +43200 2> /dev/null)" ] || echo 'by hand: it has required a reboot for 30 days; run skolo jumphost reboot'`;

const failedUnits = `systemctl list-units --state=failed --plain --no-legend --no-pager | while read -r unit _; do
  echo "$unit has failed; run journalctl -u $unit to see why, and systemctl reset-failed $unit to clear the failure"
done`;

/** A script: what is logged now is on the disk. */
const journalInEffect = `word="$(date +%s%N)"
echo "$word" | systemd-cat -t skolo-check
journalctl --sync
journalctl -q -D /var/log/journal -t skolo-check --since=-5min -o cat 2> /dev/null | grep -qx "$word" || echo "by hand: journald does not write to /var/log/journal, so the log does not survive a reboot (Storage=$(systemd-analyze cat-config systemd/journald.conf | sed -n 's/^Storage=//p' | tail -n 1)); undo the change in /etc/systemd/journald.conf.d or of that directory, and run systemctl restart systemd-journald"`;

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

/** A script: `$programs` lists the user of each unit as systemd has loaded it, and what it executes; of Node, also its files. */
const unitPrograms = `programs=$(systemctl show --property=User,ExecStart,ExecStartPre $(systemctl list-unit-files --plain --no-legend 'skolo-*.service' k3s.service 2> /dev/null | cut -d ' ' -f 1) | awk -v RS= '{
  user = "root"; count = split($0, words, /[ ;\\n]+/)
  for (at = 1; at <= count; at++) if (sub(/^User=/, "", words[at]) && words[at] != "") user = words[at]
  for (at = 1; at <= count; at++) if (sub(/^path=/, "", words[at]) || words[at] ~ "^/.*[.]js$") print user, words[at]
}' | sort -u)`;

/** A script, after that one: each can be executed or read by its user, and Node runs. */
const programsRun = `echo "$programs" | while read -r user program; do
  as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups"
  case $program in */node) said=$(timeout 20 $as "$program" -p 1 2>&1) ;; *.js) said='cannot be read' && $as test -r "$program" ;; *) said='Permission denied' && $as test -x "$program" ;; esac && continue
  mount=$(findmnt -no TARGET,OPTIONS --target "$(readlink -f "$program")" | grep -w noexec | cut -d ' ' -f 1)
  if [ -n "$mount" ]; then echo "by hand: $mount is mounted with noexec, so $program does not run; run mount -o remount,exec $mount, and remove noexec from /etc/fstab"
  else echo "by hand: $program does not run as $user: $(echo "$said" | tail -n 1); reinstall it, or fix the modes on the way to it"; fi
done | sort -u`;

/** What root runs or trusts, besides programs: whoever can write a directory on the way to it replaces it. */
const trusted =
  '/opt/skolo/services /opt/skolo/packages /opt/skolo/deploy/jumphost /usr/bin /usr/bin/node /var/lib/skolo-steps /usr/local/bin /usr/local/sbin /usr/lib/systemd/system /etc/systemd/system /etc/cron.d /etc/ssh/sshd_config.d /etc/sudoers.d /etc/skolo /etc/rancher/k3s /var/lib/skolo /var/lib/rancher/k3s/server /root/.ssh/authorized_keys';
/** Processes without root's rights need these. */
const shared = '/ /etc /opt /opt/skolo /usr /usr/bin /usr/local /usr/local/bin /var /var/lib';

function withParents(path: string): string[] {
  return path === '/' ? [path] : [...withParents(dirname(path)), path];
}

const onTheWay = [...new Set(trusted.split(' ').flatMap(withParents))].join(' ');
const closed = `find -L ${shared} -maxdepth 0 ! -perm -005`;

/** Prints a line for what lets others replace one of them, or a program of a unit as systemd has loaded it, also through links. */
const replaceable = `${unitPrograms}
${onlyRoot}
replaceable() { only_root ${trusted} $(echo "$programs" | cut -d ' ' -f 2); }
is_own() { case ' ${onTheWay} ' in *" $1 "*) ;; *) return 1 ;; esac; }`;

/** Where somebody else has put a program is for a person to decide. */
const foldersInEffect = `${replaceable}
replaceable | while read -r found; do
  case $found in note:*) echo "$found" ;; *) is_own "\${found%% has mode *}" && echo "$found" || echo "by hand: $found" ;; esac
done
${closed} -printf '%p has mode %m, so services without root rights cannot read it\\n' 2>/dev/null || true`;
const repairFolders = `${replaceable}
replaceable | grep -v '^note: ' | while read -r found; do
  path=\${found%% has mode *}
  ! is_own "$path" || { chown root:root "$path"; chmod go-w "$path"; }
done
${closed} -exec chmod o+rx {} + 2>/dev/null || true`;
