#!/bin/sh
# CONTROLLERS: prints `port PORT UNIT COMMAND`, and `unit UNIT` for units whose names match the pattern. Those of skolo and of containers are omitted.
unit_of() { sed -n 's|.*/\([^/]*\.service\).*|\1|p' "/proc/$1/cgroup" 2>/dev/null | head -n 1; }
ss -H -lntup | while read -r _ _ _ _ local _ users; do
  pid=$(printf "%s\n" "$users" | last_pid)
  [ -n "$pid" ] || continue
  grep -q kubepods "/proc/$pid/cgroup" 2>/dev/null && continue
  unit=$(unit_of "$pid")
  case $unit in skolo-*|k3s.service) continue ;; esac
  echo "port ${local##*:} ${unit:--} $(command_of "$pid")"
done | sort -u
systemctl list-units --type=service --state=active,activating --plain --no-legend --no-pager | while read -r unit _; do
  case $unit in skolo-*) continue ;; esac
  if echo "$unit" | grep -qiE "$1"; then echo "unit $unit"; fi
done
