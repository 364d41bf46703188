/** The settings that must be in effect on a rack's jumphost, by the step that applies them. */
import { shellWord } from '@skolo/base';
import { type Guard, signInRejected, sshPath, sshSettings } from '@skolo/computers';
import { type ServerPlace, serverSettings } from '@skolo/k3s';
import type { Rack } from '@skolo/rack';
import { firewallUnit } from '@skolo/rack/jumphost';
import { firewallInEffect } from './firewall.ts';
import { foldersInEffect, repairFolders } from './folders.ts';
import type { Effect } from './index.ts';
import {
  encryptionInEffect,
  forwardingInEffect,
  k3sInEffect,
  modesInEffect,
  repairForwarding,
  repairModes,
} from './k3s.ts';
import { addressInEffect, clockInEffect, journalInEffect } from './settings.ts';
import { accountsInEffect } from './sign-in/accounts.ts';
import { sshInEffect } from './sign-in/ssh.ts';
import { statementInEffect } from './statement.ts';

interface EffectNeeds {
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
      script: `${halfInstalled}\n${replacedLibraries}`,
    },
    programs: { script: foldersInEffect, repair: repairFolders },
    address: { script: addressInEffect(address) },
    active: { check: (host) => statementInEffect(host, rack.name, rackKey) },
    firewall: {
      units: [{ unit: firewallUnit, isAlwaysOn: true }],
      check: (host) => firewallInEffect(host, rack),
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

/** Most packages restart their own unit, but not those that use their libraries. */
const replacedLibraries = `systemctl list-units --type=service --state=running --plain --no-legend 'skolo-*' k3s.service ssh.service chrony.service 'systemd-*' | while read -r unit _; do
  ! grep -qE ' /(usr/)?lib.* \\(deleted\\)$' "/proc/$(systemctl show --value --property=MainPID "$unit")/maps" 2> /dev/null || echo "$unit"
done | paste -sd ' ' - | sed -n 's/..*/by hand: & still run with libraries that an update has replaced, so the update has no effect on them; run systemctl restart &/p'`;

const failedUnits = `systemctl list-units --state=failed --plain --no-legend --no-pager | while read -r unit _; do
  echo "$unit has failed; run journalctl -u $unit to see why, and systemctl reset-failed $unit to clear the failure"
done`;
