#!/bin/sh
# Functions that print what differs: unit_in_effect UNIT, always_on UNIT, port_of UNIT --PROTOCOL PORT ADDRESS.
hand() { echo "by hand: $*"; }
unit_in_effect() {
  unit=$1 left=60
  # A periodic unit may be running now.
  while :; do
    facts=$(systemctl show --property=LoadState,NeedDaemonReload,SubState,Result,ActiveState,MainPID,FreezerState,WatchdogUSec,WatchdogTimestampMonotonic "$unit")
    fact() { echo "$facts" | sed -n "s/^$1=//p"; }
    [ "$(fact SubState)" = start ] && [ "$left" -gt 0 ] || break
    left=$((left - 1))
    sleep 0.5
  done
  if [ "$(fact LoadState)" != loaded ]; then echo "$unit is $(fact LoadState)"; return; fi
  if [ "$(fact NeedDaemonReload)" = yes ]; then echo "systemd has not loaded the new $unit yet"; return; fi
  [ "$(fact Result)" = success ] || hand "$unit failed ($(fact Result)); run journalctl -u $unit to see why"
  if [ "$(fact ActiveState)" = active ]; then
    unmet=$(systemd-analyze condition --unit="$unit" 2>&1 | sed -n 's/.*: \(.*\) failed\.$/\1/p')
    [ -z "$unmet" ] || hand "$unit does not start at the next boot, because of $unmet; remove the cause"
    case $(sed 's/.*) //; s/ .*//' "/proc/$(fact MainPID)/stat" 2> /dev/null)$(fact FreezerState) in
      T* | *frozen) hand "$unit is suspended, so it does nothing; run systemctl thaw $unit; systemctl kill --signal=CONT $unit"; return ;;
    esac
    # Units with a watchdog report to it before three quarters of its limit are over (sd_event_set_watchdog(3)).
    limit=$(systemd-analyze timespan "$(fact WatchdogUSec)" 2> /dev/null | sed -n 's/.*s: \([0-9]\{1,15\}\)$/\1/p')
    beat=$(fact WatchdogTimestampMonotonic)
    late=$(($(sed 's/[. ].*//' /proc/uptime) - ${beat:-0} / 1000000))
    [ "${limit:-0}" = 0 ] || [ "$late" -le $((limit / 1200000)) ] || hand "$unit is active, but has not reported for $late s, so it hangs; run systemctl restart $unit"
  fi
}
always_on() {
  systemctl is-active -q "$1" || echo "$1 is not running; run systemctl status $1"
  systemctl is-enabled -q "$1" 2>/dev/null || echo "$1 does not start at boot"
}
unit_at() { ss -H -ln "$1" "sport = :$2" -p | sed -n 's/.*pid=\([0-9]*\).*/\1/p' | while read -r pid; do sed -n 's|.*/\([^/]*\.service\).*|\1|p' "/proc/$pid/cgroup" | head -n 1; done; }
# A program that hangs is active, and the kernel even accepts connections for it, but nothing takes them from the queue.
port_of() {
  systemctl is-active -q "$1" || return 0
  # It may have been started a moment ago.
  left=120
  until ss -H -ln "$2" "sport = :$3" | grep -q .; do
    [ "$left" -gt 0 ] || { hand "$1 is active, but does not listen on port $3 (${2#--}); run systemctl restart $1"; return; }
    left=$((left - 1))
    sleep 0.5
  done
  owner=$(unit_at "$2" "$3" | sort -u | head -n 1)
  [ "${owner:-$1}" = "$1" ] || { hand "port $3 (${2#--}) belongs to $owner instead of $1; stop that process (ss -lntup lists it), then run systemctl restart $1"; return; }
  timeout 5 bash -c 'echo > "/dev/$0"' "${2#--}/$4/$3" 2> /dev/null
  left=10
  while ss -H -ln "$2" "sport = :$3" | awk '$2 > 0 { waits = 1 } END { exit !waits }'; do
    [ "$left" -gt 0 ] || { hand "$1 is active, but does not respond on port $3 (${2#--}); run systemctl restart $1"; return; }
    left=$((left - 1))
    sleep 0.5
  done
}
