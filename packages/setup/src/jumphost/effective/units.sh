#!/bin/sh
# Functions that print what differs: hangs UNIT on|off [--PROTOCOL PORT ADDRESS], differs UNIT on|off [--PROTOCOL PORT ADDRESS]. `on`: it
# starts with the computer.
hand() { echo "by hand: $*"; }
# within TRIES COMMAND…: waits until the command succeeds, half a second after each try.
within() {
  left=$1
  shift
  until "$@"; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    sleep 0.5
  done
}
fact() { echo "$facts" | sed -n "s/^$1=//p"; }
unit_of() { grep -oE '[^/]*\.(service|scope)' "/proc/$1/cgroup" 2> /dev/null | tail -n 1; }
# --PROTOCOL PORT [UNIT]: whose port it is; UNIT if it is nobody's.
unit_at() { { ss -H -ln "$1" "sport = :$2" -p | grep -o 'pid=[0-9]*' | while read -r pid; do unit_of "${pid#*=}"; done | sort -u; echo "$3"; } | head -n 1; }
# Services with a process that is stopped, and those that are frozen, also by a slice above them or without systemd.
suspended() {
  { grep -ls '^State:.T ' /proc/[0-9]*/status | tr -dc '0-9\n' | while read -r pid; do unit_of "$pid"; done
    grep -lsx 'frozen 1' /sys/fs/cgroup/*.slice/*.service/cgroup.events | sed 's|/[^/]*$||; s|.*/||'; } | grep '\.service$' | sort -u
}
# A unit that hangs is active, and the kernel even accepts connections for it.
hangs() {
  systemctl is-active -q "$1" || return 0
  ! suspended | grep -qxF "$1" || { hand "$1 is suspended, so it does nothing; run systemctl thaw $1; systemctl kill --signal=CONT $1"; return; }
  # Units with a watchdog report to it before three quarters of its limit are over (sd_event_set_watchdog(3)).
  facts=$(systemctl show --property=WatchdogUSec,WatchdogTimestampMonotonic "$1")
  limit=$(systemd-analyze timespan "$(fact WatchdogUSec)" 2> /dev/null | sed -n 's/.*s: \([0-9]\{1,15\}\)$/\1/p')
  beat=$(fact WatchdogTimestampMonotonic)
  late=$(($(sed 's/[. ].*//' /proc/uptime) - ${beat:-0} / 1000000))
  [ "${limit:-0}" = 0 ] || [ "$late" -le $((limit / 1200000)) ] || hand "$1 is active, but has not reported for $late s, so it hangs; run systemctl restart $1"
  [ -z "$3" ] || [ "$(unit_at "$3" "$4" "$1")" != "$1" ] || {
    timeout 5 bash -c 'echo > "/dev/$0"' "${3#--}/$5/$4" 2> /dev/null
    within 10 is_taken "$3" "$4" || hand "$1 is active, but does not respond on port $4 (${3#--}); run systemctl restart $1"
  }
}
is_taken() { ss -H -ln "$1" "sport = :$2" | awk '$2 > 0 { waits = 1 } END { exit waits }'; }
listens() { ss -H -ln "$1" "sport = :$2" | grep -q .; }
has_ended() {
  facts=$(systemctl show --property=LoadState,NeedDaemonReload,SubState,Result,ActiveState "$1")
  [ "$(fact SubState)" != start ]
}
differs() {
  # A periodic unit may be running now.
  within 60 has_ended "$1"
  if [ "$(fact LoadState)" != loaded ]; then echo "$1 is $(fact LoadState)"; return; fi
  if [ "$(fact NeedDaemonReload)" = yes ]; then echo "systemd has not loaded the new $1 yet"; return; fi
  [ "$(fact Result)" = success ] || hand "$1 failed ($(fact Result)); run journalctl -u $1 to see why"
  [ "$2" = off ] || systemctl is-enabled -q "$1" 2> /dev/null || echo "$1 does not start at boot"
  if [ "$(fact ActiveState)" != active ]; then [ "$2" = off ] || echo "$1 is not running; run systemctl status $1"; return; fi
  unmet=$(systemd-analyze condition --unit="$1" 2>&1 | sed -n 's/.*: \(.*\) failed\.$/\1/p')
  [ -z "$unmet" ] || hand "$1 does not start at the next boot, because of $unmet; remove the cause"
  [ -n "$3" ] || return 0
  # It may have been started a moment ago.
  within 120 listens "$3" "$4" || { hand "$1 is active, but does not listen on port $4 (${3#--}); run systemctl restart $1"; return; }
  owner=$(unit_at "$3" "$4" "$1")
  [ "$owner" = "$1" ] || hand "port $4 (${3#--}) belongs to $owner instead of $1; stop that process (ss -lntup lists it), then run systemctl restart $1"
}
