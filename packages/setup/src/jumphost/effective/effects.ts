/** Lists the settings that must be in effect on a rack's jumphost, by the step that applies them. */
import { script, shellWord, withArguments } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { firewallUnit, statementPort } from '@skolo/rack/jumphost';
import { k3sTokenFile } from '@skolo/rack/secrets';
import { signInRejected, sshPath } from '@skolo/setup/debian';
import { type Guard, onlyRoot } from '@skolo/setup/engine';
import { binary } from '@skolo/setup/k3s';
import type { Effect } from './index.ts';

export interface EffectNeeds {
  rack: Rack;
  guard: Guard;
  hasClockPod: boolean;
}

export function effectsOf(needs: EffectNeeds): Record<string, Effect> {
  const { rack, guard, hasClockPod } = needs;
  const { address } = rack.jumphost;
  const [machine = address] = [...rack.machines.values()].flatMap((each) => each.address ?? []);
  const effects: Record<string, Effect> = {
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
      script: updatesInEffect,
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
      script: withArguments(checkSsh, address, sshPath),
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
      script: `${open} -printf '%p has mode %m, so users other than root may be able to control the cluster\\n' 2>/dev/null
${encryptionInEffect}
${withoutForwarding(address)}
for each in $off; do echo "$each is 0, so pods cannot communicate with other computers"; done`,
      repair: `${open} -exec chmod go= {} + 2>/dev/null
${withoutForwarding(address)}
for each in $off; do echo 1 > "$each"; done`,
    },
  };
  const own = Object.values(effects).flatMap(({ units = [] }) => units.map(({ unit }) => unit));
  return { ...effects, services: { script: othersFail(own) } };
}

const checkSsh = script(new URL('./check-ssh.sh', import.meta.url));
const guardUnit = 'skolo-active-guard.service';

/**
 * A shell function. Most packages restart their own unit, but not those that use their libraries. Updates are frequent, so this is no
 * fault. k3s contains its libraries.
 */
const withReplacedLibraries = `with_replaced_libraries() {
  systemctl list-units --type=service --state=running --plain --no-legend "$@" | while read -r unit _; do
    ! grep -qE ' /(usr/)?lib.* \\(deleted\\)$' "/proc/$(systemctl show --value --property=MainPID "$unit")/maps" 2> /dev/null || echo "$unit"
  done | paste -sd ' ' -
}`;
const restartOwn = `${withReplacedLibraries}
for each in $(with_replaced_libraries ${guardUnit} skolo-watchdog.service); do systemctl restart "$each"; done`;

/** What is overdue, in the words of the alerts HostUpdatesMissing and HostRebootOverdue. A fresh installation has not run yet. */
const updatesInEffect = `said=$(dpkg --audit 2>&1 | sed -n 's/^ \\([^ ]*\\) .*/\\1/p' | paste -sd ' ' -)
[ -z "$said" ] || echo "by hand: packages are not fully installed, so no update is: $said; run dpkg --configure -a and apt-get -f install"
[ -z "$(find /var/lib/apt/periodic/upgrade-stamp -mmin +20160 2> /dev/null)" ] || echo 'by hand: it has not received security updates for 14 days; run unattended-upgrade --dry-run --verbose'
[ -z "$(find /run/reboot-required -mmin +43200 2> /dev/null)" ] || echo 'by hand: it has required a reboot for 30 days; run skolo jumphost reboot'
${withReplacedLibraries}
with_replaced_libraries 'skolo-*' ssh.service chrony.service 'systemd-*' | sed -n 's/..*/note: an update has replaced libraries that these units still use: &; run systemctl restart &/p'`;

/**
 * Prints which units have failed, which others are suspended, and which timers, paths and sockets were stopped although they start at boot.
 * Conditions of a unit decide whether it starts at all.
 *
 * @param own names and patterns of units that other steps check
 */
function othersFail(own: readonly string[]): string {
  return `systemctl list-units --state=failed --plain --no-legend --no-pager | while read -r unit _; do
  echo "$unit has failed; run journalctl -u $unit to see why, and systemctl reset-failed $unit to clear the failure"
done
for each in $(suspended); do case $each in ${own.join(' | ')}) ;; *) hangs "$each" off ;; esac; done
systemctl show --property=Id,ActiveState,ConditionResult $(systemctl show --value --property=Wants timers.target paths.target sockets.target) | awk -v RS= '/ActiveState=inactive/ && /ConditionResult=yes/ { sub(/.*Id=/, ""); sub(/\\n.*/, ""); print $0 " was stopped, so it does nothing until the next boot; run systemctl start " $0 }'`;
}

/** A script: what is logged now is on the disk. */
const journalInEffect = `word="$(date +%s%N)"
echo "$word" | systemd-cat -t skolo-check
journalctl --sync
journalctl -q -D /var/log/journal -t skolo-check --since=-5min -o cat 2> /dev/null | grep -qx "$word" || echo "by hand: journald does not write to /var/log/journal, so the log does not survive a reboot (Storage=$(systemd-analyze cat-config systemd/journald.conf | sed -n 's/^Storage=//p' | tail -n 1)); undo the change in /etc/systemd/journald.conf.d or of that directory, and run systemctl restart systemd-journald"`;

export const firewallRules = '/etc/skolo/firewall.nft';

/** A script. The kernel's form of the file is loaded into a separate network namespace without other rules. */
const firewallInEffect = `wanted=$(unshare --net sh -c 'nft --file "$1" && nft --stateless list table inet skolo' sh ${firewallRules}) || exit 0
is=$(nft --stateless list table inet skolo 2>/dev/null)
first=$(printf '%s\\n' "$is" | grep -vxF "$wanted" | head -n 1 | sed 's/^[[:space:]]*//')
[ "$is" = "$wanted" ] || echo "the active firewall rules differ from ${firewallRules}: \${first:-some are missing or in a different order}"`;

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

/** Each of these files gives access to the whole cluster. */
const open = `find -L /etc/rancher/k3s/k3s.yaml /etc/rancher/k3s/config.yaml ${k3sTokenFile} /etc/systemd/system/k3s.service.env /var/lib/rancher/k3s/server/token /var/lib/rancher/k3s/server/agent-token -maxdepth 0 -perm /077`;

/** Which k3s sets when it starts. Source: k3s, pkg/agent/syssetup/setup.go. */
function withoutForwarding(address: string): string {
  const conf = '/proc/sys/net/ipv4/conf';
  return `device=$(ip -o address show to ${shellWord(address)} | awk 'NR == 1 { print $2 }')
off=$(grep -lsx 0 ${conf}/all/forwarding "${conf}/$device/forwarding" ${conf}/cni0/forwarding ${conf}/flannel.1/forwarding /proc/sys/net/bridge/bridge-nf-call-iptables)`;
}

/** A script. Source: docs.k3s.io/cli/secrets-encrypt. */
const encryptionInEffect = `status=$(${binary} secrets-encrypt status 2>&1)
case $status in
  *'Encryption Status: Enabled'*) ;;
  *'Encryption Status:'*) echo 'by hand: k3s stores cluster secrets unencrypted (see k3s secrets-encrypt status); run k3s secrets-encrypt enable. If the cluster was created without encryption, you must recreate it' ;;
  *) echo "by hand: cannot determine whether k3s encrypts cluster secrets: $(echo "$status" | tail -n 1); run k3s secrets-encrypt status" ;;
esac`;

/** A script: `$programs` lists the user of each unit as systemd has loaded it, and what it executes; of Node, also its files. */
const unitPrograms = `programs=$(systemctl show --property=User,ExecStart,ExecStartPre $(systemctl list-unit-files --plain --no-legend 'skolo-*.service' k3s.service 2> /dev/null | cut -d ' ' -f 1) | awk -v RS= '{
  user = "root"; count = split($0, words, /[ ;\\n]+/)
  for (at = 1; at <= count; at++) if (sub(/^User=/, "", words[at]) && words[at] != "") user = words[at]
  for (at = 1; at <= count; at++) if (sub(/^path=/, "", words[at]) || words[at] ~ "^/.*[.]js$") print user, words[at]
}' | sort -u)`;

/** A script, after that one: each can be executed or read by its user, and Node runs. */
const programsRun = `echo "$programs" | grep . | while read -r user program; do
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

const closed = `find -L ${shared} -maxdepth 0 ! -perm -005`;

/** Prints a line for what lets others replace one of them, or a program of a unit as systemd has loaded it, also through links. */
const replaceable = `${unitPrograms}
${onlyRoot}
replaceable() { only_root ${trusted} $(echo "$programs" | cut -d ' ' -f 2); }
# One of them, or on the way to one.
is_own() { case ' ${trusted}' in *" $1"*) ;; *) return 1 ;; esac; }`;

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
