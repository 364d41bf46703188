/**
 * Settings of Debian's own programs: when journald rotates or cuts its log files, automatic updates (without a reboot), clock
 * synchronisation.
 */
import { script, shellWord, withArguments } from '@skolo/base';
import {
  checkByScript,
  fileStep,
  type Step,
  type TextFile,
  writtenHead,
} from '@skolo/setup/engine';

const cloudFolder = '/etc/cloud/cloud.cfg.d';
const cloudFile = `${cloudFolder}/99-skolo.cfg`;

/** Sets the computer's name from rack.yaml, used in logs, prompts and certificates. cloud-init does not set a different one. */
export function nameStep(name: string): Step {
  const word = shellWord(name);
  return {
    name: 'name',
    about: `the host name is ${name}`,
    // A domain may follow it.
    check:
      checkByScript(`for each in "$(cat /proc/sys/kernel/hostname)" "$(cat /etc/hostname 2>/dev/null)"; do
  [ "\${each%%.*}" = ${word} ] || echo "the host name is \${each:-not set}, but rack.yaml calls it ${name}"
done | sort -u
[ ! -d /etc/cloud ] || [ -e ${cloudFile} ] || echo 'cloud-init sets the host name at every boot'`),
    // sudo resolves the host name.
    async apply(host) {
      await host.need(`sed -i "s/^127\\.0\\.1\\.1[[:space:]].*/127.0.1.1 "${word}/ /etc/hosts
echo ${word} > /etc/hostname && sync /etc/hostname && hostname ${word}
[ ! -d /etc/cloud ] || { mkdir -p ${cloudFolder} && echo 'preserve_hostname: true' > ${cloudFile}; }`);
    },
  };
}

/** Where journald stores the log: on disk, it survives a power cut and never fills it; an SD card lasts longer without it. */
type JournalPlace = 'disk' | 'memory';

const journals: Record<JournalPlace, { about: string; settings: string }> = {
  disk: {
    about: 'the system log survives reboots and uses at most 1 GB',
    settings: 'Storage=persistent\nSystemMaxUse=1G\nSystemKeepFree=2G\nMaxRetentionSec=3month\n',
  },
  memory: {
    about: 'the system log stays in memory to reduce wear on the SD card',
    settings: 'Storage=volatile\nRuntimeMaxUse=64M\n',
  },
};

/** journald settings. */
export function journalFile(place: JournalPlace): TextFile {
  return {
    path: '/etc/systemd/journald.conf.d/50-skolo.conf',
    content: `${writtenHead}[Journal]\n${journals[place].settings}`,
    mode: 0o644,
  };
}

/** journald stores its log in it. */
export function journalStep(place: JournalPlace): Step {
  return fileStep({
    name: 'journal',
    about: journals[place].about,
    files: [journalFile(place)],
    activate: 'systemctl restart systemd-journald.service',
    verify: `systemctl is-active -q systemd-journald.service || echo 'systemd-journald.service is not running'`,
  });
}

const updatesFile = '/etc/apt/apt.conf.d/52skolo';

/** Installs security updates automatically, but without a reboot, because a rack that reboots at night is down. */
export function updatesStep(): Step {
  return fileStep({
    name: 'updates',
    about: 'security updates are installed automatically, without a reboot',
    files: [
      {
        path: updatesFile,
        content: `${writtenHead.replace('#', '//')}APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Automatic-Reboot "false";
`,
      },
    ],
    // Separately, so that the links are created even without a running systemd.
    activate:
      'systemctl enable --quiet apt-daily.timer apt-daily-upgrade.timer && systemctl start apt-daily.timer apt-daily-upgrade.timer',
    // As apt evaluates all of its files, because a later one may override ours.
    verify: withArguments(script(new URL('./verify-updates.sh', import.meta.url)), updatesFile),
  });
}

/**
 * The time of the rack.
 *
 * @param subnet may request the time
 * @param isPod the overlay's `chrony` component keeps the time, so no other service may
 */
export function clockStep({ subnet, isPod }: { subnet: string; isPod: boolean }): Step {
  return isPod ? clockOfPod : ownClock(subnet);
}

function ownClock(subnet: string): Step {
  return fileStep({
    name: 'clock',
    about: 'chrony keeps the time and serves it to the rack',
    files: [
      {
        path: '/etc/chrony/conf.d/50-skolo.conf',
        content: `${writtenHead}allow ${subnet}
# Machines agree on the time while the internet connection is down.
local stratum 10
# A computer without a clock battery boots with a time in the past.
makestep 1 3
`,
      },
    ],
    activate: 'systemctl enable --quiet chrony.service && systemctl restart chrony.service',
  });
}

const clockOfPod: Step = {
  name: 'clock',
  about: 'the chrony pod is the only time service',
  check: checkByScript(`for each in chrony systemd-timesyncd; do
  if systemctl is-active -q "$each"; then echo "$each.service is running beside the chrony pod"; fi
  if systemctl is-enabled -q "$each" 2>/dev/null; then echo "$each.service starts at boot"; fi
done`),
  async apply(host) {
    await host.need(
      `for each in chrony systemd-timesyncd; do
  if systemctl cat "$each" > /dev/null 2>&1; then systemctl disable --now --quiet "$each"; fi
done`,
    );
  },
};
