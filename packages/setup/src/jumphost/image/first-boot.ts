/**
 * The first boot of a computer with the image: it waits for a USB stick and reads its identity from it, once. Afterwards, sticks are
 * ignored. cloud-init is not used, because it applies a new identity whenever it finds another stick, and boots without one.
 */

import { fileStep, type Step, writtenHead } from '@skolo/setup/engine';
import { matchFunction, networkdFile } from '../address/networkd.ts';
import { probe, probeFile } from '../address/probe.ts';
import { identityFile, identityHead } from './identity.ts';

/** The stick's file, written when all its settings are on the disk. */
const identityMark = '/etc/skolo/identity';
const firstBootScript = '/usr/local/sbin/skolo-first-boot';
const unit = 'skolo-first-boot.service';

/**
 * Nothing is changed before the whole stick has been parsed, and the mark is written last. An interrupted boot starts again.
 * `--check FILE` only prints the errors in a file.
 */
export const firstBoot = `#!/bin/sh
# skolo-first-boot: gives this computer the identity on a USB stick, once. skolo-first-boot --check FILE: reports errors in FILE.
set -u
umask 022
export LC_ALL=C.UTF-8
mark=${identityMark}
at=/run/skolo-first-boot

value() { sed -n "s/^$1 //p" "$identity"; }

# Prints the error in $identity, if any.
problem() {
  [ "$(head -n 1 "$identity")" = '${identityHead}' ] || { echo 'is damaged or from another version of skolo; recreate the stick'; return; }
  [ "$(sed '$d' "$identity" | sha256sum | cut -c -64)" = "$(sed -n '$s/^sha256 //p' "$identity")" ] || { echo 'is damaged or was edited; recreate the stick'; return; }
  for each in rack name address key; do
    [ -n "$(value $each)" ] || { echo "does not contain a value for $each; recreate the stick"; return; }
  done
}

# Copies the identity files of all connected sticks. They are mounted read-only.
read_sticks() {
  rm -rf $at
  mkdir -p $at/mount $at/found
  lsblk -rnpo NAME,FSTYPE | sort -u | while read -r device type; do
    case $type in vfat | exfat) ;; *) continue ;; esac
    # Skips the EFI partition.
    ! findmnt -n --source "$device" > /dev/null || continue
    mount -t "$type" -o ro,nosuid,nodev,noexec "$device" $at/mount 2> /dev/null || continue
    if [ -f $at/mount/${identityFile} ]; then
      head -c 65536 $at/mount/${identityFile} > "$at/found/$(basename "$device")"
    fi
    umount -l $at/mount
  done
}

# Sets $interface to the wired interface with a cable, or sets $why.
find_interface() {
  interface=$(value interface)
  cabled=
  all=
  for each in /sys/class/net/*; do
    [ "$(cat "$each/type")" = 1 ] && [ ! -e "$each/phy80211" ] || continue
    name=$(basename "$each")
    [ -z "$interface" ] || [ "$interface" = "$name" ] || continue
    # A phone that tethers.
    case $interface:$(readlink "$each/device/driver") in :*/rndis_host | :*/ipheth | :*/*cdc_* | :*/qmi_wwan) continue ;; esac
    ip link set dev "$name" up
    all="$all $name"
    [ "$(cat "$each/carrier" 2> /dev/null)" != 1 ] || cabled="$cabled $name"
  done
  set -- $cabled
  [ $# != 1 ] || { interface=$1; return; }
  why="$# interfaces have a network cable ($*); unplug all but one, or recreate the stick with --interface"
  [ $# != 0 ] || why="no network cable in$all; connect one"
  [ -n "$all" ] || why="no wired interface\${interface:+ $interface}; \${interface:+recreate the stick without --interface, or }add an adapter"
}

${matchFunction}
# put PATH MODE: writes standard input completely or not at all.
put() {
  mkdir -p "$(dirname "$1")" && cat > "$1.skolo-new" && chmod "$2" "$1.skolo-new" && sync "$1.skolo-new" && mv -f "$1.skolo-new" "$1" && sync "$(dirname "$1")"
}

become() {
  name=$(value name) address=$(value address)
  # Left by an interrupted boot, perhaps with another stick.
  rm -f /etc/systemd/network/05-skolo-*.network /etc/ssh/ssh_host_*
  echo "$name" | put /etc/hostname 644
  # The host keys contain the host name.
  hostname "$name"
  printf '127.0.0.1 localhost\\n::1 localhost ip6-localhost ip6-loopback\\n%s %s\\n' "\${address%/*}" "$name" | put /etc/hosts 644
  mkdir -p -m 700 /root/.ssh
  value key | put /root/.ssh/authorized_keys 600
  {
    echo '${networkdFile.head}'
    printf '[Match]\\n%s\\n\\n[Network]\\nDHCP=no\\nAddress=%s\\n' "$(match_of "$interface")" "$address"
    value gateway | sed 's/^/Gateway=/'
    value dns | sed 's/^/DNS=/'
  } | put "${networkdFile.path('$interface')}" 644
  [ -L /etc/resolv.conf ] || value dns | sed 's/^/nameserver /' | put /etc/resolv.conf 644
  ssh-keygen -q -A
  # Shown above the login prompt of the console. agetty fills in the name and the address.
  printf '%s\\n\\n' '\\n, \\4. Its identity is permanent; further sticks are ignored.' | put /etc/issue.d/skolo.issue 644
  sync
  put $mark 644 < "$identity"
}

# Prints to every console: screen and serial line.
say() {
  echo "$1"
  for each in $(cat /sys/class/tty/console/active); do
    [ ! -c "/dev/$each" ] || echo "skolo: $1" > "/dev/$each"
  done 2> /dev/null
}

# Sets $why to the action that is needed; empty if the computer has its identity.
try() {
  read_sticks
  set -- $at/found/*
  identity=$1
  [ -e "$identity" ] || { why='no stick with ${identityFile}; create one with \`skolo jumphost stick RACK FOLDER\` and plug it in'; return; }
  for each in "$@"; do
    cmp -s "$identity" "$each" || { why="sticks for different computers ($(cd $at/found && echo *)); unplug all but one"; return; }
  done
  why=$(problem)
  [ -z "$why" ] || { why="${identityFile} of /dev/$(basename "$identity") $why"; return; }
  find_interface
  [ -z "$why" ] || return
  address=$(value address)
  other=$(${probeFile} "$interface" "\${address%/*}")
  [ $? != 3 ] || { why="another computer ($other) uses the address \${address%/*} of this stick; turn it off, or use the right stick"; return; }
  # A separate process, which exits at the first error.
  why=$(sh "$0" --become "$identity" "$interface" 2>&1 > /dev/null) && why= || why="cannot apply the identity ($(echo $why)); trying again"
}

case \${1-} in
  --check)
    identity=$2
    why=$(problem)
    [ -z "$why" ] || { echo "$2 $why"; exit 1; }
    exit
    ;;
  --become)
    identity=$2 interface=$3
    set -e
    become
    exit
    ;;
esac
[ ! -e $mark ] || exit 0
said=
rounds=0
while try; [ -n "$why" ]; do
  # Repeated every minute for people who arrive later.
  [ "$why" = "$said" ] && [ $((rounds % 30)) != 0 ] || say "$why"
  said=$why
  rounds=$((rounds + 1))
  sleep 2
done
say "this is now $(value name) of $(value rack), $(value address) on $interface; you can remove the stick"
for each in /etc/ssh/ssh_host_*_key.pub; do
  say "the host key is $(ssh-keygen -l -f "$each" | cut -d ' ' -f 2,4)"
done
`;

const unitText = `${writtenHead}[Unit]
Description=skolo: name, address and keys from a USB stick, at the first boot
ConditionPathExists=!${identityMark}
Wants=network-pre.target
Before=network-pre.target systemd-networkd.service ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${firstBootScript}
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=5
[Install]
WantedBy=multi-user.target
`;

/** The computer waits for a stick when it first boots. systemd-networkd sets the address. */
export function firstBootStep(): Step {
  return fileStep({
    name: 'first-boot',
    about: 'the image reads its identity from a USB stick when it first boots',
    files: [
      { path: firstBootScript, content: firstBoot, mode: 0o755 },
      { path: probeFile, content: probe, mode: 0o755 },
      { path: `/etc/systemd/system/${unit}`, content: unitText },
    ],
    activate: `systemctl enable --quiet ${unit} systemd-networkd.service`,
    verify: `for each in ${unit} systemd-networkd.service; do
  systemctl is-enabled -q $each 2>/dev/null || echo "$each does not start at boot"
done`,
  });
}
