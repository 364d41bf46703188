/** Settings of Debian's own programs: log, updates, clock. */
import { shellWord } from '@skolo/base';
import type { Step } from '../engine/step.ts';
import { checkByScript, fileStep } from '../host/files.ts';

const head = '# Written by `skolo jumphost prepare`. An edit is undone by the next run.\n';

/** The computer has the name of rack.yaml: logs, prompts and certificates show it. */
export function nameStep(name: string): Step {
  const word = shellWord(name);
  return {
    name: 'name',
    about: `its host name is ${name}`,
    // A domain may follow it.
    check:
      checkByScript(`for each in "$(cat /proc/sys/kernel/hostname)" "$(cat /etc/hostname 2>/dev/null)"; do
  [ "\${each%%.*}" = ${word} ] || echo "its host name is \${each:-not set}, and rack.yaml names it ${name}"
done | sort -u`),
    // sudo looks its own name up.
    async apply(host) {
      await host.need(`sed -i "s/^127\\.0\\.1\\.1[[:space:]].*/127.0.1.1 "${word}/ /etc/hosts
echo ${word} > /etc/hostname && sync /etc/hostname && hostname ${word}`);
    },
  };
}

/** A log that survives a power cut, and never fills the disk. */
export function journalStep(): Step {
  return fileStep({
    name: 'journal',
    about: 'the log is kept over a restart, and takes at most 1 GB',
    files: [
      {
        path: '/etc/systemd/journald.conf.d/50-skolo.conf',
        content: `${head}[Journal]
Storage=persistent
SystemMaxUse=1G
SystemKeepFree=2G
MaxRetentionSec=3month
`,
      },
    ],
    activate: 'systemctl restart systemd-journald.service',
    verify: `systemctl is-active -q systemd-journald.service || echo 'systemd-journald.service does not run'`,
  });
}

const updatesFile = '/etc/apt/apt.conf.d/52skolo';

/** Security updates by themselves, and no restart by themselves: a rack that restarts at night is a rack that is down. */
export function updatesStep(): Step {
  return fileStep({
    name: 'updates',
    about: 'security updates are installed by themselves, and nothing restarts',
    files: [
      {
        path: updatesFile,
        content: `${head.replace('#', '//')}APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Automatic-Reboot "false";
`,
      },
    ],
    // Apart, so that the links are also made where no systemd runs.
    activate:
      'systemctl enable --quiet apt-daily.timer apt-daily-upgrade.timer && systemctl start apt-daily.timer apt-daily-upgrade.timer',
    // As apt understands all of its files: a later one may say something else.
    verify: `dump=$(apt-config dump 2>&1) || { echo "by hand: apt cannot read its settings: $(echo "$dump" | sed -n 's/^E: //p' | head -n 1); correct that file"; exit 0; }
# is KEY VALUE WHAT: a later file may say something else.
is() {
  ! echo "$dump" | grep -qxF "$1 \\"$2\\";" || return 0
  where=$(grep -sHnE "^[^/]*\${1##*::}[[:space:]]+\\"" /etc/apt/apt.conf.d/* /etc/apt/apt.conf | grep -vF "\\"$2\\"" | cut -d : -f 1,2 | paste -sd ' ' -)
  echo "by hand: another file $3: \${where:-below /etc/apt}; correct that one"
}
if [ -e ${updatesFile} ]; then
  is Unattended-Upgrade::Automatic-Reboot false 'lets updates restart the jumphost'
  is APT::Periodic::Unattended-Upgrade 1 'turns updates off'
fi`,
  });
}

/**
 * The time of the rack.
 *
 * @param subnet may ask for the time
 * @param isPod the overlay's component `chrony` keeps the time, and wants no other
 */
export function clockStep({ subnet, isPod }: { subnet: string; isPod: boolean }): Step {
  return isPod ? clockOfPod : ownClock(subnet);
}

function ownClock(subnet: string): Step {
  return fileStep({
    name: 'clock',
    about: 'chrony keeps the time, and gives it to the rack',
    files: [
      {
        path: '/etc/chrony/conf.d/50-skolo.conf',
        content: `${head}allow ${subnet}
# Machines keep one time together while the uplink is gone.
local stratum 10
# A computer without a battery begins in the past.
makestep 1 3
`,
      },
    ],
    activate: 'systemctl enable --quiet chrony.service && systemctl restart chrony.service',
  });
}

const clockOfPod: Step = {
  name: 'clock',
  about: 'no time service of its own beside the pod chrony',
  check: checkByScript(`for each in chrony systemd-timesyncd; do
  if systemctl is-active -q "$each"; then echo "$each.service runs beside the pod chrony"; fi
  if systemctl is-enabled -q "$each" 2>/dev/null; then echo "$each.service starts with the computer"; fi
done`),
  async apply(host) {
    await host.need(
      `for each in chrony systemd-timesyncd; do
  if systemctl cat "$each" > /dev/null 2>&1; then systemctl disable --now --quiet "$each"; fi
done`,
    );
  },
};
