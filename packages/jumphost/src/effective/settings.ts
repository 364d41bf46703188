/** Checks the settings of other programs as the program itself reads them, because a later file may override ours. */
import { shellWord } from '@skolo/base';

/** A script: journald writes to the disk, both now and after its next start. */
export const journalInEffect = `last() { systemd-analyze cat-config systemd/journald.conf | sed -n "s/^$1=//p" | tail -n 1; }
files=/var/log/journal/$(cat /etc/machine-id)
if [ "$(last Storage)" != persistent ]; then
  echo "by hand: journald uses Storage=$(last Storage), so the log does not survive a reboot; remove this setting from $(grep -ls '^Storage=' /etc/systemd/journald.conf.d/*.conf /run/systemd/journald.conf.d/*.conf | grep -v 50-skolo | tr '\\n' ' ')and run systemctl restart systemd-journald"
elif ! ls -l "/proc/$(systemctl show --value --property=MainPID systemd-journald.service)/fd" | grep -q "$files/"; then
  echo "journald does not write to $files"
fi`;

/** A script: chronyd responds to an address in the rack. */
export function clockInEffect(address: string): string {
  return `case $(chronyc accheck ${shellWord(address)} 2>&1) in
  '208 '*) ;;
  *denied*) echo 'by hand: chronyd denies time requests from ${address}; remove the \`deny\` from' $(grep -ls '^ *deny' /etc/chrony/chrony.conf /etc/chrony/conf.d/*) 'and run systemctl restart chrony' ;;
  *) echo 'chronyd does not respond to chronyc' ;;
esac
[ "$(sed -n 3p /etc/adjtime 2> /dev/null)" != LOCAL ] || echo 'by hand: the hardware clock is in local time, so the time is wrong after a power cut; run timedatectl set-local-rtc 0'`;
}

/** A script: the address is still configured after the next start. */
export function addressInEffect(address: string): string {
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
