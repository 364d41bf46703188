#!/bin/sh
# Written by skolo. Runs once, at the first boot, before everything else. The functions in front of it are its steps.
: "${steps:?}" "${setup_file:?}" "${error_file:?}" "${own_file:?}"
set -u
export LC_ALL=C.UTF-8
boot=$(cd "$(dirname "$0")" && pwd)
log=/var/log/skolo-setup.log
failed=
for each in $steps; do step "$each"; done
sh "$boot/$setup_file" --no-start || failed="$failed $setup_file"
if [ -n "$failed" ]; then { echo "failed:$failed"; tail -n 50 "$log"; } > "$boot/$error_file"; fi
rm -f "$boot/$own_file"
sed -i 's/ systemd\.\(run\|unit\)[^ ]*//g' "$boot/cmdline.txt"
sync
