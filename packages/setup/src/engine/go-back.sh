#!/bin/sh
# FOLDER TIMER NAME PATH…: rolls back an unconfirmed change of these files. Functions in front of it: `activate`, and `set_aside`, for a file
# `$each` that the running server had not loaded. `$scope` is `files-only` before programs have loaded the restored files.
folder=$1 timer=$2 name=$3
shift 3
returning=$folder/returning
[ -e "$returning" ] || mv "$folder/pending" "$returning" 2>/dev/null || exit 0
at=0
for path; do
  old=$returning/old/$at
  # A file that was not written stays unchanged, because the disk may be full.
  if [ ! -e "$old" ]; then rm -f "$path"; elif ! cmp -s "$old" "$path"; then cp -a "$old" "$path"; fi
  at=$((at + 1))
done
sync
systemctl stop "$timer.timer" 2>/dev/null || true
if [ "${scope-}" != files-only ]; then
  [ ! -s "$returning/unloaded" ] || cp "$returning/unloaded" "$folder/set-aside"
  # shellcheck disable=SC2034 # set_aside reads it.
  while read -r each; do
    set_aside
  done < "$returning/unloaded"
  activate
fi
rm -rf "$returning"
logger -t skolo "rolled back an unconfirmed change of $name" || true
