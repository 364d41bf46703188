/**
 * The first start of a computer with the image: it waits for a stick, and takes its identity from it, once. Afterwards sticks are
 * not looked at any more. No cloud-init: that takes a new identity whenever another stick is there, and starts without one.
 */

import { fileStep, type Step } from '@skolo/computers';
import { networkdFile } from '../address/networkd.ts';
import { probe, probeFile } from '../address/probe.ts';
import { identityFile, identityHead } from './identity.ts';

/** The file of the stick, when everything that it says is on the disk. */
const identityMark = '/etc/skolo/identity';
const firstBootScript = '/usr/local/sbin/skolo-first-boot';
const unit = 'skolo-first-boot.service';

/**
 * Nothing is changed before the whole stick is understood, and the mark is written last. A start that is cut off begins again.
 * `--check FILE` only prints what is wrong with a file.
 */
export const firstBoot = `#!/bin/sh
# skolo-first-boot: gives this computer the identity that a stick has, once. skolo-first-boot --check FILE: what is wrong with FILE.
set -u
umask 022
export LC_ALL=C.UTF-8
mark=${identityMark}
at=/run/skolo-first-boot

value() { sed -n "s/^$1 //p" "$identity"; }

# Prints what is wrong with $identity.
problem() {
  [ "$(head -n 1 "$identity")" = '${identityHead}' ] || { echo 'is damaged, or of another version of skolo; make the stick again'; return; }
  [ "$(sed '$d' "$identity" | sha256sum | cut -c -64)" = "$(sed -n '$s/^sha256 //p' "$identity")" ] || { echo 'is damaged or was edited; make the stick again'; return; }
  for each in rack name address key; do
    [ -n "$(value $each)" ] || { echo "has no $each; make the stick again"; return; }
  done
}

# Copies the files of all sticks that are plugged in. FAT is read without a change.
read_sticks() {
  rm -rf $at
  mkdir -p $at/mount $at/found
  lsblk -rnpo NAME,FSTYPE | sort -u | while read -r device type; do
    case $type in vfat | exfat) ;; *) continue ;; esac
    # That of UEFI.
    ! findmnt -n --source "$device" > /dev/null || continue
    mount -t "$type" -o ro,nosuid,nodev,noexec "$device" $at/mount 2> /dev/null || continue
    if [ -f $at/mount/${identityFile} ]; then
      head -c 65536 $at/mount/${identityFile} > "$at/found/$(basename "$device")"
    fi
    umount -l $at/mount
  done
}

# Sets $interface, the wired one with a cable, or $why.
find_interface() {
  interface=$(value interface)
  cabled=
  all=
  for each in /sys/class/net/*; do
    [ "$(cat "$each/type")" = 1 ] && [ ! -e "$each/phy80211" ] || continue
    name=$(basename "$each")
    [ -z "$interface" ] || [ "$interface" = "$name" ] || continue
    ip link set dev "$name" up
    all="$all $name"
    [ "$(cat "$each/carrier" 2> /dev/null)" != 1 ] || cabled="$cabled $name"
  done
  set -- $cabled
  [ $# != 1 ] || { interface=$1; return; }
  why="$# interfaces have a network cable ($*); pull all others out, or make the stick again with --interface"
  [ $# != 0 ] || why="no network cable in$all; plug it in"
  [ -n "$all" ] || why="no wired interface \${interface:-at all}; make the stick again without --interface, or add an adapter"
}

# put PATH MODE: all of standard input, or nothing.
put() {
  mkdir -p "$(dirname "$1")" && cat > "$1.skolo-new" && chmod "$2" "$1.skolo-new" && sync "$1.skolo-new" && mv -f "$1.skolo-new" "$1" && sync "$(dirname "$1")"
}

become() {
  name=$(value name) address=$(value address)
  # Of a start that was cut off, perhaps with another stick.
  rm -f /etc/systemd/network/05-skolo-*.network /etc/ssh/ssh_host_*
  echo "$name" | put /etc/hostname 644
  # Keys bear it.
  hostname "$name"
  printf '127.0.0.1 localhost\\n::1 localhost ip6-localhost ip6-loopback\\n%s %s\\n' "\${address%/*}" "$name" | put /etc/hosts 644
  mkdir -p -m 700 /root/.ssh
  value key | put /root/.ssh/authorized_keys 600
  {
    echo '${networkdFile.head}'
    printf '[Match]\\nName=%s\\n\\n[Network]\\nDHCP=no\\nAddress=%s\\n' "$interface" "$address"
    value gateway | sed 's/^/Gateway=/'
    value dns | sed 's/^/DNS=/'
  } | put "${networkdFile.path('$interface')}" 644
  [ -L /etc/resolv.conf ] || value dns | sed 's/^/nameserver /' | put /etc/resolv.conf 644
  ssh-keygen -q -A
  # Shown before the login at the console. agetty fills in name and address.
  printf '%s\\n\\n' '\\n, \\4. It has its identity for good, and looks at no other stick.' | put /etc/issue.d/skolo.issue 644
  sync
  put $mark 644 < "$identity"
}

# To every console: a screen and a serial line.
say() {
  echo "$1"
  for each in $(cat /sys/class/tty/console/active); do
    [ ! -c "/dev/$each" ] || echo "skolo: $1" > "/dev/$each"
  done 2> /dev/null
}

# Sets $why: what a person has to do. Empty: it is done.
try() {
  read_sticks
  set -- $at/found/*
  identity=$1
  [ -e "$identity" ] || { why='no stick with ${identityFile}; make one with \`skolo jumphost stick RACK FOLDER\`, and put it in'; return; }
  for each in "$@"; do
    cmp -s "$identity" "$each" || { why="sticks of different computers ($(cd $at/found && echo *)); pull all but one out"; return; }
  done
  why=$(problem)
  [ -z "$why" ] || { why="${identityFile} of /dev/$(basename "$identity") $why"; return; }
  find_interface
  [ -z "$why" ] || return
  address=$(value address)
  other=$(${probeFile} "$interface" "\${address%/*}")
  [ $? != 3 ] || { why="another computer ($other) has the address \${address%/*} of this stick; turn it off, or take the right stick"; return; }
  # A process of its own, which ends at the first error.
  why=$(sh "$0" --become "$identity" "$interface" 2>&1 > /dev/null) && why= || why="failed ($(echo $why)); it is tried again"
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
  # Again after a minute: somebody may have come since.
  [ "$why" = "$said" ] && [ $((rounds % 30)) != 0 ] || say "$why"
  said=$why
  rounds=$((rounds + 1))
  sleep 2
done
say "this is $(value name) of $(value rack) now, $(value address) at $interface; the stick may be pulled out"
for each in /etc/ssh/ssh_host_*_key.pub; do
  say "its host key is $(ssh-keygen -l -f "$each" | cut -d ' ' -f 2,4)"
done
`;

const unitText = `# Written by \`skolo jumphost image\`.
[Unit]
Description=skolo: name, address and keys from a stick, at the first start
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

/** The computer asks for a stick at its first start. systemd-networkd sets the address. */
export function firstBootStep(): Step {
  return fileStep({
    name: 'first-boot',
    about: 'at the first start it takes its identity from a stick',
    files: [
      { path: firstBootScript, content: firstBoot, mode: 0o755 },
      { path: probeFile, content: probe, mode: 0o755 },
      { path: `/etc/systemd/system/${unit}`, content: unitText },
    ],
    activate: `systemctl enable --quiet ${unit} systemd-networkd.service`,
    verify: `for each in ${unit} systemd-networkd.service; do
  systemctl is-enabled -q $each 2>/dev/null || echo "$each does not start with the computer"
done`,
  });
}
