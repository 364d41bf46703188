/** Checks units as systemd runs them, because drop-ins, masks and `systemctl disable` are not in the files that skolo writes. */

export interface EffectiveUnit {
  unit: string;
  /** It starts with the computer and is active now. */
  isAlwaysOn?: true;
  /** Of a timer: its interval, as `systemctl show` prints it. */
  every?: string;
  /** The process that uses this port must belong to the unit: `udp 123`. */
  port?: `${'tcp' | 'udp'} ${number}`;
}

const functions = `of() { systemctl show --value --property="$2" "$1"; }
hand() { echo "by hand: $*"; }
drop_ins() { of "$1" DropInPaths | tr ' ' '\\n' | grep -v '/skolo-[^/]*$' | paste -sd ' ' -; }
unit_in_effect() {
  unit=$1
  case $(of "$unit" LoadState) in
    loaded) ;;
    *) echo "$unit is $(of "$unit" LoadState)"; return ;;
  esac
  if [ "$(of "$unit" NeedDaemonReload)" = yes ]; then echo "systemd has not loaded the new $unit yet"; return; fi
  fragment=$(of "$unit" FragmentPath)
  wanted=$(sed -n 's/^ExecStart=[-@:+!]*//p' "$fragment")
  runs=$(of "$unit" ExecStart | sed -n 's/.*argv\\[\\]=\\(.*\\) ; ignore_errors=.*/\\1/p')
  [ "$runs" = "$wanted" ] || hand "$unit runs \\\`$runs\\\` instead of \\\`$wanted\\\`; remove this override from $(drop_ins "$unit"), then run systemctl daemon-reload and systemctl restart $unit"
  # A periodic unit may be running now.
  left=60
  while [ "$(of "$unit" SubState)" = start ] && [ "$left" -gt 0 ]; do left=$((left - 1)); sleep 0.5; done
  result=$(of "$unit" Result)
  [ "$result" = success ] || hand "$unit failed ($result); run journalctl -u $unit to see why"
}
always_on() {
  systemctl is-active -q "$1" || echo "$1 is not running; run systemctl status $1"
  systemctl is-enabled -q "$1" 2>/dev/null || echo "$1 does not start at boot"
}
every() {
  case $(of "$1" TimersMonotonic) in *"OnUnitInactiveUSec=$2 "*) ;; *) hand "$1 does not run every $2; remove the override from $(drop_ins "$1"), then run systemctl daemon-reload" ;; esac
}
unit_at() { ss -H -ln "$1" "sport = :$2" -p | sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p' | while read -r pid; do sed -n 's|.*/\\([^/]*\\.service\\).*|\\1|p' "/proc/$pid/cgroup" | head -n 1; done; }
port_of() {
  systemctl is-active -q "$1" || return 0
  owner=$(unit_at "$2" "$3" | sort -u | head -n 1)
  # If there is none, the program itself does not listen, and its own check reports why.
  [ "\${owner:-$1}" = "$1" ] || hand "port $3 (\${2#--}) belongs to $owner instead of $1; stop that process (ss -lntup lists it), then run systemctl restart $1"
}`;

/** A script that prints a line for each unit that systemd does not run as specified in its file. */
export function unitsInEffect(units: readonly EffectiveUnit[]): string {
  const lines = units.flatMap(({ unit, isAlwaysOn, every, port }) => [
    `unit_in_effect ${unit}`,
    ...(isAlwaysOn ? [`always_on ${unit}`] : []),
    ...(every === undefined ? [] : [`every ${unit} ${every}`]),
    ...(port === undefined ? [] : [`port_of ${unit} --${port}`]),
  ]);
  return `${functions}\n${lines.join('\n')}`;
}

/**
 * A script that makes systemd run these units as specified in their files. A unit that does not start may require a file that the step
 * writes next, so the script continues; the check after the step reports each unit that still does not run.
 */
export function repairUnits(units: readonly EffectiveUnit[]): string {
  const names = units.map(({ unit }) => unit).join(' ');
  const on = units.flatMap(({ unit, isAlwaysOn }) => (isAlwaysOn ? [unit] : []));
  return `systemctl unmask --quiet ${names} 2>/dev/null
systemctl daemon-reload
for each in ${on.join(' ')}; do
  if systemctl cat "$each" > /dev/null 2>&1; then systemctl enable --quiet "$each"; systemctl start "$each" || true; fi
done`;
}
