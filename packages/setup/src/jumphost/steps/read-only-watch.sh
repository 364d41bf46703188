#!/bin/bash
# skolo-read-only-watch SECONDS COMMAND…: runs the command when / was writable and then stays read-only for that long.
limit=$1
shift
was='' since=
# A pipe without a writer, to sleep without a process.
exec 3<> <(:)
while :; do
  if { : > /.skolo-writable; } 2> /dev/null; then
    [ -n "$was" ] || echo 'watching /'
    was=yes since=
    systemd-notify WATCHDOG=1 &
  else
    : "${since:=$SECONDS}"
    if [ -n "$was" ] && [ $((SECONDS - since)) -ge "$limit" ]; then
      echo "/ has been read-only for $limit s; running $*"
      "$@" || echo b > /proc/sysrq-trigger
      exit
    fi
  fi
  read -r -t $((limit / 10 + 1)) -u 3
done
