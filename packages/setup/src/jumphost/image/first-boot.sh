#!/bin/sh
# skolo-first-boot: gives this computer the identity on a USB stick, once. skolo-first-boot --check FILE: reports errors in FILE.
set -u
umask 022
export LC_ALL=C.UTF-8
# Values, and the function match_of, are in front of this line.
: "${mark:?}" "${head:?}" "${file:?}" "${networkd_head:?}" "${probe:?}"
at=/run/skolo-first-boot

value() { sed -n "s/^$1 //p" "$identity"; }

# Prints the error in $identity, if any.
problem() {
  [ "$(head -n 1 "$identity")" = "$head" ] || { echo 'is damaged or from another version of skolo; recreate the stick'; return; }
  [ "$(sed '$d' "$identity" | sha256sum | cut -c -64)" = "$(sed -n '$s/^sha256 //p' "$identity")" ] || { echo 'is damaged or was edited; recreate the stick'; return; }
  for each in rack name address key; do
    [ -n "$(value "$each")" ] || { echo "does not contain a value for $each; recreate the stick"; return; }
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
    if [ -f "$at/mount/$file" ]; then
      head -c 65536 "$at/mount/$file" > "$at/found/$(basename "$device")"
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
  # shellcheck disable=SC2086 # Several names.
  set -- $cabled
  [ $# != 1 ] || { interface=$1; return; }
  why="$# interfaces have a network cable ($*); unplug all but one, or recreate the stick with --interface"
  [ $# != 0 ] || why="no network cable in$all; connect one"
  [ -n "$all" ] || why="no wired interface${interface:+ $interface}; ${interface:+recreate the stick without --interface, or }add an adapter"
}

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
  printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n%s %s\n' "${address%/*}" "$name" | put /etc/hosts 644
  mkdir -p -m 700 /root/.ssh
  value key | put /root/.ssh/authorized_keys 600
  {
    echo "$networkd_head"
    printf '[Match]\n%s\n\n[Network]\nDHCP=no\nAddress=%s\n' "$(match_of "$interface")" "$address"
    value gateway | sed 's/^/Gateway=/'
    value dns | sed 's/^/DNS=/'
  } | put "/etc/systemd/network/05-skolo-$interface.network" 644
  [ -L /etc/resolv.conf ] || value dns | sed 's/^/nameserver /' | put /etc/resolv.conf 644
  ssh-keygen -q -A
  # Shown above the login prompt of the console. agetty fills in the name and the address.
  printf '%s\n\n' '\n, \4. Its identity is permanent; further sticks are ignored.' | put /etc/issue.d/skolo.issue 644
  sync
  put "$mark" 644 < "$identity"
}

# Prints to every console: screen and serial line.
say() {
  echo "$1"
  # shellcheck disable=SC2013 # Several words.
  for each in $(cat /sys/class/tty/console/active); do
    [ ! -c "/dev/$each" ] || echo "skolo: $1" > "/dev/$each"
  done 2> /dev/null
}

# Sets $why to the action that is needed; empty if the computer has its identity.
try() {
  read_sticks
  set -- $at/found/*
  identity=$1
  [ -e "$identity" ] || { why="no stick with $file; create one with \`skolo jumphost stick RACK FOLDER\` and plug it in"; return; }
  for each in "$@"; do
    cmp -s "$identity" "$each" || { why="sticks for different computers ($(cd $at/found && echo *)); unplug all but one"; return; }
  done
  why=$(problem)
  [ -z "$why" ] || { why="$file of /dev/$(basename "$identity") $why"; return; }
  find_interface
  [ -z "$why" ] || return
  address=$(value address)
  other=$("$probe" "$interface" "${address%/*}")
  [ $? != 3 ] || { why="another computer ($other) uses the address ${address%/*} of this stick; turn it off, or use the right stick"; return; }
  # A separate process, which exits at the first error.
  # shellcheck disable=SC2086,SC2116 # One line.
  why=$(sh "$0" --become "$identity" "$interface" 2>&1 > /dev/null) && why= || why="cannot apply the identity ($(echo $why)); trying again"
}

case ${1-} in
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
[ ! -e "$mark" ] || exit 0
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
