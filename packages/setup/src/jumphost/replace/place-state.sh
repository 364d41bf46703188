#!/bin/sh
# FOLDER MARK: moves the state from FOLDER/copy into place. The previous files are kept in FOLDER/old. MARK is the content of a file next to the
# journal of the power-cycle daemon, whose user and group are 10001; the daemon applies it once.
set -eu
folder=$1 mark=$2 staged=$1/copy
systemctl stop skolo-fallback.timer skolo-fallback.service skolo-power-cycle-daemon.service skolo-metadata-server.service k3s.service 2>/dev/null || true
# First, so that a daemon that starts in between finds it.
daemon=$staged/var/lib/skolo/power-cycle-daemon
if [ ! -e "$daemon" ] && [ ! -e /var/lib/skolo/power-cycle-daemon/inherited.json ]; then install -d -m 2770 -o 10001 -g 10001 "$daemon"; fi
if [ -e "$daemon" ]; then
  # The daemon's directory may contain a link of this name, which root must not follow.
  rm -rf "$daemon/inherited.json"
  (set -C; printf '%s' "$mark" > "$daemon/inherited.json")
  chown 10001:10001 "$daemon/inherited.json"
fi
cd "$staged"
move() {
  [ -e "$1" ] || return 0
  mkdir -p "$folder/old/$(dirname "$1")"
  if [ -e "/$1" ]; then rm -rf "$folder/old/$1"; mv -T "/$1" "$folder/old/$1"; fi
  mv -T "$1" "/$1"
}
mkdir -p /var/lib/skolo /etc/rancher
(umask 077; mkdir -p /var/lib/rancher/k3s /etc/rancher/k3s)
# All of k3s' server, because the keys of another cluster do not match the database.
for each in var/lib/skolo/* var/lib/rancher/k3s/server etc/rancher/node etc/rancher/k3s/*; do move "$each"; done
# Without this setting, k3s would not use the encryption of its secrets.
settings=/etc/rancher/k3s/config.yaml
if [ -e /var/lib/rancher/k3s/server/cred/encryption-config.json ] && ! grep -qs '^secrets-encryption:' $settings; then
  (umask 077; echo 'secrets-encryption: true' >> $settings)
fi
sync -f /var/lib
