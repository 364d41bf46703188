#!/bin/sh
# FOLDER TIMER SECONDS ONLY_ROOT PATH…: copies the files, and starts the timer that rolls back their change with the script on standard input.
# The function in front of it, `unloaded`, prints the files that the running server has not loaded.
set -eu
folder=$1 timer=$2 seconds=$3 only_root=$4
shift 4
new=$folder/draft
rm -rf "$new" "$folder/confirmed" "$folder/set-aside"
mkdir -p -m 0700 "$folder" "$new/old"
unloaded > "$new/unloaded"
at=0
for path; do
  if [ -e "$path" ]; then cp -a "$path" "$new/old/$at"; fi
  at=$((at + 1))
done
cat > "$new/go-back"
sync -f "$new"
systemctl stop "$timer.timer" 2>/dev/null || true
systemctl reset-failed "$timer.service" 2>/dev/null || true
systemd-run --quiet --unit="$timer" --on-active="$seconds" --timer-property=AccuracySec=100ms "$only_root" "$folder/pending/go-back"
mv "$new" "$folder/pending"
sync "$folder"
