#!/bin/sh
# SECONDS NODE MAIN RUN STATE: starts the daemon for that long, with the files in RUN, and prints the line with which it listens.
set -eu
umask 077
run=$4
mkdir -p "$5"
# A separate process group, so that it survives this session. The shell outlives the daemon and removes its files.
setsid sh -c '
  trap : TERM
  . "$4/environment"
  timeout --foreground --signal=TERM "$1" "$2" "$3" --rack "$4/rack.yaml" --state-dir "$5" --host 127.0.0.1 --port 0 --metrics-port 0
  rm -rf "$4"
' skolo-jumphost-power "$1" "$2" "$3" "$run" "$5" > "$run/log" 2>&1 < /dev/null &
pid=$!
echo "$pid" > "$run/pid"
left=150
until grep '"listening"' "$run/log"; do
  left=$((left - 1))
  if [ "$left" -le 0 ] || ! kill -0 "$pid" 2>/dev/null; then
    cat "$run/log" >&2 || :
    kill -s TERM -- "-$pid" 2>/dev/null || :
    echo "the daemon did not start on this machine" >&2
    exit 1
  fi
  sleep 0.2
done
