/**
 * Decides when a jumphost reboots automatically (watchdog): when it hangs, panics or loses its disk. Its file systems are repaired at
 * the next boot.
 */
import { script, withArguments } from '@skolo/base';
import { checkByScript, fileStep, type Step, writtenHead } from '@skolo/setup/engine';

const unit = 'skolo-watchdog.service';
const watch = '/usr/local/sbin/skolo-read-only-watch';

/**
 * It stays in memory and waits for no program until then, because after a disk error none may be readable. It tries to write, because
 * /proc/mounts is unreliable: Debian's Linux 6.1.0-56 prints `rw` for an ext4 that has stopped after an error and rejects writes.
 */
const watchScript = script(new URL('./read-only-watch.sh', import.meta.url));

/** Drivers that distributions do not load automatically. The last one is only software, but better than nothing. */
const drivers = 'wdat_wdt iTCO_wdt sp5100_tco i6300esb bcm2835_wdt softdog';

/** A container has neither a watchdog nor its own kernel. */
export function watchdogStep(): Step {
  return fileStep({
    name: 'watchdog',
    about:
      'the computer reboots after a hang, a kernel panic, or 10 min with a read-only root file system',
    files: [
      {
        path: '/etc/systemd/system.conf.d/90-skolo-watchdog.conf',
        content: `${writtenHead}[Manager]\nRuntimeWatchdogSec=30s\nRebootWatchdogSec=2min\n`,
      },
      { path: '/etc/sysctl.d/90-skolo.conf', content: `${writtenHead}kernel.panic = 10\n` },
      { path: watch, content: watchScript, mode: 0o755 },
      {
        path: `/etc/systemd/system/${unit}`,
        content: `${writtenHead}[Unit]
Description=skolo: reboot this computer when its root file system becomes read-only
[Service]
ExecStartPre=-/bin/sh -c 'for each in ${drivers}; do [ -e /dev/watchdog0 ] || modprobe -q "$$each"; done'
ExecStart=${watch} 600 systemctl reboot --force --force
# Longer than it waits for a root file system that is read-only.
WatchdogSec=12min
NotifyAccess=all
Restart=always
[Install]
WantedBy=multi-user.target
`,
      },
    ],
    activate: `systemctl enable --quiet ${unit} && systemctl restart ${unit}
systemctl daemon-reexec
[ ! -w /proc/sys/kernel/panic ] || systemctl restart systemd-sysctl.service`,
    verify: `systemctl is-active -q ${unit} || echo '${unit} is not running'
systemctl is-enabled -q ${unit} 2>/dev/null || echo '${unit} does not start at boot'
now=$(systemctl show --value --property=RuntimeWatchdogUSec)
[ "$now" = 30s ] || echo "RuntimeWatchdogSec is $now instead of 30s; fix the last file in /etc/systemd/system.conf.d"
now=$(cat /proc/sys/kernel/panic)
[ "$now" = 10 ] || [ ! -w /proc/sys/kernel/panic ] || echo "kernel.panic is $now instead of 10; fix the last file in /etc/sysctl.d"
systemd-detect-virt -cq || [ "$(cat /sys/class/watchdog/watchdog0/state 2>/dev/null)" = active ] || echo 'no watchdog is active, so this computer cannot recover from a hang; run dmesg | grep -i watchdog'`,
  });
}

const option = 'fsck.repair=yes';

/** Sets $file to the boot loader's file with the kernel command line; empty if it is unknown. */
const findLoader = `file=
for each in /boot/cmdline.txt /boot/firmware/cmdline.txt; do [ ! -e "$each" ] || file=$each; done
! command -v update-grub > /dev/null || file=/boot/grub/grub.cfg`;

/** Without it, a check that finds serious errors stops the boot, and waits for an operator at the console. */
export function fsckStep(): Step {
  const check = checkByScript(`${findLoader}
if [ -n "$file" ]; then grep -qsw ${option} "$file" || echo "$file lacks ${option}"
elif ! grep -qw ${option} /proc/cmdline && ! systemd-detect-virt -cq; then
  echo 'neither GRUB nor cmdline.txt found; add ${option} to the kernel command line'
fi`);
  return {
    name: 'fsck',
    about: 'file systems are checked and repaired at boot',
    async check(host) {
      const { code } = await host.run(`grep -qw ${option} /proc/cmdline`);
      return { ...(await check(host)), note: code === 0 ? '' : 'takes effect at the next boot' };
    },
    async apply(host) {
      const repair = withArguments(script(new URL('./set-repair.sh', import.meta.url)), option);
      await host.need(`${findLoader}\n${repair}`);
    },
  };
}
