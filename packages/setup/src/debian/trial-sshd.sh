#!/bin/bash
# SCRIPT CLIENT CLIENT_PORT SERVER SERVER_PORT: an sshd on standard input and output, as root, which reads its files as they are. SCRIPT is
# the text of trial-sshd-apart.sh; the other arguments are the words of SSH_CONNECTION. Link-local addresses have an interface, and exist
# only there.
mkdir -p /run/sshd
[ ! -r /etc/default/ssh ] || . /etc/default/ssh
export SSHD_OPTS
# shellcheck disable=SC2086 # Several options.
case $2 in '' | *%*) exec /usr/sbin/sshd -i $SSHD_OPTS ;; esac
name=
if /usr/sbin/sshd -T -C "user=root,host=$2,addr=$2,laddr=$4,lport=$5" 2>/dev/null | grep -q '^usedns yes'; then
  name=$(timeout 5 getent hosts "$2" | awk 'NR == 1 { print $2 }')
  [ -z "$name" ] || timeout 5 getent ahosts "$name" | grep -q "^$2 " || name=
fi
exec unshare --net --mount bash -c "$1" sshd "$2" "$4" "$5" "$name"
