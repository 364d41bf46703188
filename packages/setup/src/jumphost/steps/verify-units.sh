#!/bin/sh
# OPT UNIT…: prints how users, folders and units differ from those of the version in OPT.
opt=$1
shift
same() { cmp -s "$1" "$2" || echo "$2 is missing or outdated"; }
same "$opt/deploy/jumphost/skolo.sysusers.conf" /etc/sysusers.d/skolo.conf
same "$opt/deploy/jumphost/skolo.tmpfiles.conf" /etc/tmpfiles.d/skolo.conf
for each; do
  same "$opt/deploy/systemd/$each" "/etc/systemd/system/$each"
done
[ "$(id -u skolo 2>/dev/null)" = 10001 ] || echo 'the skolo user (10001) is missing'
# tmpfiles.d lists type, path, mode and owner of each folder.
if [ -e /etc/tmpfiles.d/skolo.conf ]; then
  while read -r type path mode user group _; do
    [ "$type" = d ] || continue
    [ "$(stat -c '%a %U %G' "$path" 2>/dev/null)" = "${mode#0} $user $group" ] || echo "$path is missing, or has another owner or mode"
  done < /etc/tmpfiles.d/skolo.conf
fi
[ -e "$opt/current/bin/node" ] || echo "$opt/current/bin/node is missing"
[ -e /usr/local/sbin/skolo-fallback ] || echo 'skolo-fallback is missing'
