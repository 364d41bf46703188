/**
 * Checks units as systemd runs them: loaded, with their conditions met, and responding. A drop-in, mask or link of others is a file, so
 * changes.ts finds it.
 */

export interface EffectiveUnit {
  /** A name, or a pattern of systemctl. */
  unit: string;
  /** It starts with the computer and is active now. */
  isAlwaysOn?: true;
  /** A process of the unit uses this port, and responds at this address: `udp 123 127.0.0.1`. */
  port?: `${'tcp' | 'udp'} ${number} ${string}`;
}

/** Paths of links that start them. */
export const unitsThatMatter =
  /\/(skolo-|k3s|ssh|chrony|systemd-(journald|networkd|timesyncd)|networking|nftables|apt-daily)[^/]*$/;

const functions = `hand() { echo "by hand: $*"; }
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
    unmet=$(systemd-analyze condition --unit="$unit" 2>&1 | sed -n 's/.*: \\(.*\\) failed\\.$/\\1/p')
    [ -z "$unmet" ] || hand "$unit does not start at the next boot, because of $unmet; remove the cause"
    case $(sed 's/.*) //; s/ .*//' "/proc/$(fact MainPID)/stat" 2> /dev/null)$(fact FreezerState) in
      T* | *frozen) hand "$unit is suspended, so it does nothing; run systemctl thaw $unit; systemctl kill --signal=CONT $unit"; return ;;
    esac
    # Units with a watchdog report to it before three quarters of its limit are over (sd_event_set_watchdog(3)).
    limit=$(systemd-analyze timespan "$(fact WatchdogUSec)" 2> /dev/null | sed -n 's/.*s: \\([0-9]\\{1,15\\}\\)$/\\1/p')
    beat=$(fact WatchdogTimestampMonotonic)
    late=$(($(sed 's/[. ].*//' /proc/uptime) - \${beat:-0} / 1000000))
    [ "\${limit:-0}" = 0 ] || [ "$late" -le $((limit / 1200000)) ] || hand "$unit is active, but has not reported for $late s, so it hangs; run systemctl restart $unit"
  fi
}
always_on() {
  systemctl is-active -q "$1" || echo "$1 is not running; run systemctl status $1"
  systemctl is-enabled -q "$1" 2>/dev/null || echo "$1 does not start at boot"
}
unit_at() { ss -H -ln "$1" "sport = :$2" -p | sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p' | while read -r pid; do sed -n 's|.*/\\([^/]*\\.service\\).*|\\1|p' "/proc/$pid/cgroup" | head -n 1; done; }
# A program that hangs is active, and the kernel even accepts connections for it, but nothing takes them from the queue.
port_of() {
  systemctl is-active -q "$1" || return 0
  # It may have been started a moment ago.
  left=120
  until ss -H -ln "$2" "sport = :$3" | grep -q .; do
    [ "$left" -gt 0 ] || { hand "$1 is active, but does not listen on port $3 (\${2#--}); run systemctl restart $1"; return; }
    left=$((left - 1))
    sleep 0.5
  done
  owner=$(unit_at "$2" "$3" | sort -u | head -n 1)
  [ "\${owner:-$1}" = "$1" ] || { hand "port $3 (\${2#--}) belongs to $owner instead of $1; stop that process (ss -lntup lists it), then run systemctl restart $1"; return; }
  timeout 5 bash -c 'echo > "/dev/$0"' "\${2#--}/$4/$3" 2> /dev/null
  left=10
  while ss -H -ln "$2" "sport = :$3" | awk '$2 > 0 { waits = 1 } END { exit !waits }'; do
    [ "$left" -gt 0 ] || { hand "$1 is active, but does not respond on port $3 (\${2#--}); run systemctl restart $1"; return; }
    left=$((left - 1))
    sleep 0.5
  done
}`;

function namesOf(unit: string): string {
  return unit.includes('*')
    ? `$(systemctl list-unit-files --plain --no-legend '${unit}' | cut -d ' ' -f 1)`
    : unit;
}

/** A script that prints a line for each unit that systemd does not run as specified in its file. */
export function unitsInEffect(units: readonly EffectiveUnit[]): string {
  const lines = units.flatMap(({ unit, isAlwaysOn, port }) => [
    `for each in ${namesOf(unit)}; do unit_in_effect "$each"; done`,
    ...(isAlwaysOn ? [`always_on ${unit}`] : []),
    ...(port === undefined ? [] : [`port_of ${unit} --${port}`]),
  ]);
  return `${functions}\n${lines.join('\n')}`;
}

/**
 * A script that makes systemd run these units as specified in their files. A unit that does not start may require a file that the step
 * writes next, so the script continues; the check after the step reports each unit that still does not run.
 */
export function repairUnits(units: readonly EffectiveUnit[]): string {
  const names = units.map(({ unit }) => namesOf(unit)).join(' ');
  const on = units.flatMap(({ unit, isAlwaysOn }) => (isAlwaysOn ? [unit] : []));
  return `for each in '' --runtime; do systemctl unmask --quiet $each ${names} 2>/dev/null; done
systemctl daemon-reload
for each in ${on.join(' ')}; do
  if systemctl cat "$each" > /dev/null 2>&1; then systemctl enable --quiet "$each"; systemctl reset-failed "$each" 2>/dev/null; systemctl start "$each" || true; fi
done`;
}
