#!/bin/bash
# Installs the Debian packages of the peers that tests use (scripts/peers.mjs): as root on Debian or a derivative.
#
#   scripts/install-peers.sh [GROUP…]     a group is one or more packages in one argument; default: all missing ones
#
# Groups are independent: a failed one is reported ("not installed: …") and the others continue. No prompts, no recommended packages, no
# daemon started or enabled. Exit code 0 if all are installed, 1 if one is missing.

# shellcheck disable=SC2086 # A group is several words.
set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

limit=${SKOLO_INSTALL_SECONDS:-900}   # for everything together
deadline=$((SECONDS + limit))
marker='# written by skolo scripts/install-peers.sh'
policy=/usr/sbin/policy-rc.d
previous=$policy.before-skolo
lock=/var/lock/skolo-install-peers

fail() {
  echo "install-peers: $*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail 'not root; run it with sudo, or install the packages by hand'
command -v apt-get dpkg-query >/dev/null || fail 'no apt-get here; this script knows Debian and its relatives only'

here=$(cd "$(dirname "$0")" && pwd)
groups=("$@")
if [ $# = 0 ]; then
  mapfile -t groups < <(node "$here/peers.mjs" --missing-packages)
fi

is_installed() {
  local package
  for package in $1; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || return 1
  done
}

wanted=()
for group in "${groups[@]}"; do
  is_installed "$group" || wanted+=("$group")
done
[ ${#wanted[@]} = 0 ] && exit 0

exec 9>"$lock"
flock -w "$limit" 9 || fail 'another run of it does not end'

# No daemon starts while this exits with 101. An existing policy is restored, even if an earlier run was killed.
restore() {
  if [ -e "$previous" ] || [ -L "$previous" ]; then
    mv -f "$previous" "$policy"
  elif grep -qsF "$marker" "$policy"; then
    rm -f "$policy"
  fi
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
restore
if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$previous"; fi
printf '#!/bin/sh\n%s\nexit 101\n' "$marker" >"$policy"
chmod 755 "$policy"

# limited SECONDS COMMAND…: runs a command for at most that long, and never past the deadline.
limited() {
  local seconds=$1 left=$((deadline - SECONDS))
  shift
  [ "$left" -gt 0 ] || return 124
  timeout --kill-after=10 "$((seconds < left ? seconds : left))" "$@" </dev/null
}

apt() {
  limited "$1" apt-get -qq -o DPkg::Lock::Timeout=60 -o Acquire::Retries=2 -o Acquire::http::Timeout=20 \
    -o Acquire::https::Timeout=20 -o Dpkg::Options::=--force-confold "${@:2}"
}

# Debian enables a daemon for the next boot even if it may not start now.
disable_daemons() {
  command -v systemctl >/dev/null || return 0
  local units
  units=$(dpkg -L $1 2>/dev/null | sed -n 's,.*/lib/systemd/system/\([^/@]*\.\(service\|timer\|socket\)\)$,\1,p')
  [ -z "$units" ] || systemctl disable $units >/dev/null 2>&1
}

output=$(mktemp)
trap 'restore; rm -f "$output"' EXIT
missing=0
apt 120 update >"$output" 2>&1 || echo "install-peers: apt-get update: $(tail -n 1 "$output")" >&2
for group in "${wanted[@]}"; do
  # Downloads, which precede dpkg, can be interrupted without harm.
  if apt 120 install -y --no-install-recommends --download-only $group >"$output" 2>&1 &&
    apt 180 install -y --no-install-recommends --no-download $group >"$output" 2>&1 &&
    is_installed "$group"; then
    echo "installed: $group"
    disable_daemons "$group"
  else
    reason=$(grep -m 1 '^E: ' "$output" || tail -n 1 "$output")
    echo "not installed: $group: ${reason:-no answer within the time limit}"
    missing=1
    # An interrupted installation must not break the next group.
    limited 60 dpkg --configure -a >/dev/null 2>&1
  fi
done
exit $missing
