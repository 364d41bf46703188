#!/bin/sh
# Written by `skolo jumphost upgrade`. Every stage may be interrupted, and is then repeated.
set -u
: "${at:?}" "${k3s:?}"
. "$at/plan"
: "${from?}" "${to?}" "${node?}" "${seconds?}" "${by?}" "${images?}"
images=/var/lib/rancher/k3s/agent/images/$images
# Database, certificates and token.
parts='/var/lib/rancher/k3s/server/db /var/lib/rancher/k3s/server/tls /var/lib/rancher/k3s/server/cred /var/lib/rancher/k3s/server/token /etc/rancher/k3s'

# If the state cannot be written, the next run repeats the previous stage.
enter() {
  { echo "$1" > "$at/state.new" && sync "$at/state.new" && mv -f "$at/state.new" "$at/state" && sync "$at"; } || {
    systemctl start --no-block k3s.service; exit 1; }
  logger -t skolo "k3s $from to $to, for $by: $1$([ ! -s "$at/why" ] || echo ": $(cat "$at/why")")" || true
}
say() { echo "$1" >> "$at/why"; }

# Replaces the file in one step, so that it is complete at every moment.
put() {
  draft=$(dirname "$2")/.$(basename "$2").skolo-new
  cp -a "$1" "$draft" && sync "$draft" && mv -f "$draft" "$2" && sync "$(dirname "$2")"
}

copy_all() {
  rm -rf "$at/snapshot" && mkdir -m 0700 "$at/snapshot" || return 1
  for each in $parts "$k3s" "$images"; do
    [ -e "$each" ] || continue
    mkdir -p "$at/snapshot$(dirname "$each")" && cp -a "$each" "$at/snapshot$each" || return 1
  done
  sync -f "$at/snapshot"
}

# Files that were moved back are no longer in the snapshot.
move_back() {
  for each in $parts "$k3s" "$images"; do
    [ -e "$at/snapshot$each" ] || continue
    case $each in
    "$k3s" | "$images") put "$at/snapshot$each" "$each" || return 1 ;;
    *) rm -rf "$each" && mv "$at/snapshot$each" "$each" || return 1 ;;
    esac
  done
  sync -f "$at" && sync -f /var/lib/rancher
}

uptime_now() { cut -d . -f 1 /proc/uptime; }

# Sets why if this version does not run.
is_running() {
  systemctl is-active -q k3s.service || { why="k3s.service is $(systemctl is-active k3s.service)"; return 1; }
  timeout 10 "$k3s" kubectl get --raw /readyz > /dev/null 2> "$at/said" || {
    why="the API server is not ready: $(tail -n 1 "$at/said")"; return 1; }
  is=$(timeout 10 "$k3s" kubectl get node "$node" -o 'jsonpath={.status.nodeInfo.kubeletVersion} {.status.conditions[?(@.type=="Ready")].status}' 2>&1)
  [ "$is" = "$1 True" ] || { why="the node $node is not ready with version $1: $is"; return 1; }
}

last_error() { journalctl -u k3s.service -n 30 -o cat --no-pager | grep -E 'level=(fatal|error)' | tail -n 1; }

until_running() {
  end=$(($(uptime_now) + seconds))
  # Resets the restart counter.
  systemctl reset-failed k3s.service
  systemctl start --no-block k3s.service
  until is_running "$1"; do
    if [ "$(systemctl show --value --property=NRestarts k3s.service)" -ge 5 ]; then
      why="k3s keeps exiting: $(last_error)"
      return 1
    fi
    [ "$(uptime_now)" -lt "$end" ] || { error=$(last_error); why="$why; gave up after $seconds s${error:+; $error}"; return 1; }
    sleep 2
  done
}

while :; do
  case $(cat "$at/state") in
  begin)
    # shellcheck disable=SC2086 # Several paths.
    needed=$(du -skc $parts "$k3s" "$images" 2> /dev/null | tail -n 1 | cut -f 1)
    free=$(df -kP "$at" | awk 'NR == 2 { print $4 }')
    if [ $((needed + 16384)) -gt "$free" ]; then
      say "the snapshot requires $((needed / 1024 + 16)) MiB in $at, but only $((free / 1024)) MiB are free; free disk space, for example with journalctl --vacuum-size=200M and apt-get clean"
      enter rejected
      continue
    fi
    # Pods keep running.
    systemctl stop k3s.service
    if copy_all 2> "$at/said"; then
      enter switching
    else
      say "the snapshot failed: $(tail -n 1 "$at/said")"
      rm -rf "$at/snapshot"
      systemctl start --no-block k3s.service
      enter rejected
    fi ;;
  switching)
    if { put "$at/new/k3s" "$k3s" && put "$at/new/images" "$images"; } 2> "$at/said"; then
      enter starting
    else
      say "the new files cannot be installed: $(tail -n 1 "$at/said")"
      enter returning
    fi ;;
  starting)
    if until_running "$to"; then enter ready; else say "$why"; enter returning; fi ;;
  returning)
    why=
    systemctl stop k3s.service
    if move_back 2> "$at/said" && until_running "$from"; then
      enter returned
    else
      say "rollback failed: ${why:-$(tail -n 1 "$at/said")}"
      enter broken
    fi ;;
  *) exit 0 ;;
  esac
done
