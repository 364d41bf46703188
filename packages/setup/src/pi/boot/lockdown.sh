#!/bin/sh
# Written by skolo. Saves the pairing records of iPhones on the jumphost, for the next SD card.
: "${url:?}" "${root?}" "${run:?}" "${name_file:?}"
[ -s "$root$name_file" ] || exit 0
cd "$root/var/lib/lockdown" 2> /dev/null || exit 0
records=
for each in *.plist; do
  [ "$each" = SystemConfiguration.plist ] || [ ! -f "$each" ] || records=yes
done
# An empty folder does not replace the saved records.
[ -n "$records" ] || exit 0
archive=$(tar -czf - -- *.plist | base64 -w 0) || exit 1
status=$(printf '{"archive":"%s"}' "$archive" | ask "$run/stored" --request PUT --header 'content-type: application/json' --data-binary @- "$url/v1/lockdown") || exit 1
[ "$status" = 204 ] || { cat "$run/stored"; exit 1; }
