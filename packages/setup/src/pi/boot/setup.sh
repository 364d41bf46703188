#!/bin/sh
# Written by skolo. Configures a fresh system, as root. It can run again. Its log is /var/log/skolo-setup.log, and failures are also listed in a
# file next to this one. With --no-start, it starts no services. The functions in front of it put files in place, and turn swap off.
: "${steps:?}" "${started:?}" "${program_sha256?}" "${program_file:?}" "${token_file:?}" "${secret_file:?}" "${state_folder:?}" "${error_file:?}"
set -u
umask 022
export LC_ALL=C.UTF-8
boot=$(cd "$(dirname "$0")" && pwd)
log=/var/log/skolo-setup.log
failed=

# In Raspberry Pi OS, NetworkManager keeps Wi-Fi off until a country is set.
wifi() {
  rfkill unblock wifi || true
  for each in /var/lib/systemd/rfkill/*:wlan; do [ ! -e "$each" ] || echo 0 > "$each"; done
  state=/var/lib/NetworkManager/NetworkManager.state
  [ ! -e "$state" ] || sed -i 's/^WirelessEnabled=false/WirelessEnabled=true/' "$state"
  # A running NetworkManager does not read the file again.
  nmcli radio wifi on || true
}

# Used secrets are removed from the boot partition, which everybody who has the SD card can read.
k3s() {
  program=/usr/local/bin/k3s
  if [ -e "$boot/$program_file" ]; then
    cp "$boot/$program_file" "$program.skolo-new"
    echo "$program_sha256  $program.skolo-new" | sha256sum -c -
    chmod 755 "$program.skolo-new"
    sync "$program.skolo-new"
    mv -f "$program.skolo-new" "$program"
    rm -f "$boot/$program_file"
  fi
  move "$token_file" /etc/rancher/k3s/token
  move "$secret_file" "$state_folder/secret"
}

# move FILE PATH: moves a secret from the boot partition and overwrites it there.
move() {
  [ -e "$boot/$1" ] || return 0
  put "$2" 600 < "$boot/$1"
  sync
  size=$(wc -c < "$boot/$1")
  dd if=/dev/zero of="$boot/$1" bs="$size" count=1 conv=notrunc,fsync
  rm -f "$boot/$1"
}

# shellcheck disable=SC2086 # Several units.
services() {
  systemctl enable ssh.service || systemctl enable sshd.service
  systemctl enable $started
}

# shellcheck disable=SC2086
start() {
  systemctl daemon-reexec
  systemctl restart systemd-journald.service
  systemctl try-restart systemd-timesyncd.service chrony.service ssh.service || true
  systemctl start --no-block $started
}

for each in $steps; do step "$each"; done
[ "${1-}" = --no-start ] || step start
if [ -n "$failed" ]; then
  { echo "failed:$failed"; tail -n 50 "$log"; } > "$boot/$error_file"
  sync
  exit 1
fi
rm -f "$boot/$error_file"
sync
