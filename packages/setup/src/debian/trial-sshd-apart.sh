#!/bin/bash
# CLIENT SERVER SERVER_PORT NAME: in a network and mount namespace of its own, an sshd that a client with this address and name connects to,
# from standard input and output.
set -e
if [ -n "$4" ]; then
  hosts=$(mktemp)
  { cat /etc/hosts; echo "$1 $4"; } > "$hosts"
  chmod 0644 "$hosts"
  mount --bind "$hosts" /etc/hosts
  rm "$hosts"
fi
ip link set lo up
for each in "$1" "$2"; do ip address add "$each" dev lo 2>/dev/null || true; done
ip route replace local "$2" dev lo table local src "$1"
# shellcheck disable=SC2086 # Several options.
/usr/sbin/sshd -D -o PidFile=none -o ListenAddress="$2" -p "$3" $SSHD_OPTS &
started=$!
trap 'kill $started $from $to 2>/dev/null' EXIT
until exec 3<> "/dev/tcp/$2/$3"; do kill -0 $started || exit 1; sleep 0.1; done 2>/dev/null
exec 4<&0
cat <&3 & from=$!
cat <&4 >&3 & to=$!
wait -n $from $to || true
