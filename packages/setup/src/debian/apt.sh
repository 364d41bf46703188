#!/bin/sh
# apt_get ARGUMENT…: runs apt-get. It continues if the connection drops, so that dpkg is never interrupted, and a second one waits for it.
# It does not fail if package lists cannot be fetched, because packages may be on the disk. If no source responds, nothing is fetched,
# because each attempt would wait again.
apt_get() (
  set -u
  export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 RES_OPTIONS='timeout:3 attempts:1'
  # Debian updates itself when it first boots.
  lock_seconds=300
  exec 9> /run/skolo-apt.lock
  flock -w "$lock_seconds" 9 || { echo 'another skolo command is installing packages; try again when it has finished' >&2; exit 1; }
  apt() {
    left=$lock_seconds
    while :; do
      apt-get -q -y -o "DPkg::Lock::Timeout=$lock_seconds" -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" > /run/skolo-apt.log 2>&1 < /dev/null && return
      grep -q 'Could not get lock' /run/skolo-apt.log && [ "$left" -gt 0 ] || return 1
      left=$((left - 5)); sleep 5
    done
  }
  # Finishes an installation that a power cut interrupted. As in apt, edited configuration files stay.
  dpkg --force-confdef --force-confold --configure -a > /run/skolo-apt.log 2>&1 < /dev/null || { tail -n 3 /run/skolo-apt.log >&2; exit 1; }
  # Without internet, apt waits minutes for each package source and name server by default.
  apt -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 update || true
  offline=
  grep -qE '^(Get|Hit):' /run/skolo-apt.log || offline=$(sed -n 's/^[WE]: //p' /run/skolo-apt.log | head -n 1)
  apt ${offline:+--no-download} "$@" && exit
  [ -z "$offline" ] || { echo "package sources did not respond ($offline); check the internet connection" >&2; exit 1; }
  # The errors of dpkg come before the summary of apt.
  { grep -E '^([EW]: |dpkg: error)|No space left' /run/skolo-apt.log || cat /run/skolo-apt.log; } | tail -n 3 >&2
  exit 1
)
