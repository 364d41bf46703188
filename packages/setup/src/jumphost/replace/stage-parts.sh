#!/bin/sh
# FROM STAGED HOW PATH...: moves (HOW is `unpacked`) or copies (`disk`) these paths, and nothing else, from FROM to STAGED. What was unpacked
# may be hostile: only plain files and directories stay, without the bits that let a file run as another user. HOW is `foreign` for an
# archive that is not authenticated: of the k3s database, only SQLite's files are moved, because k3s would prefer others beside them.
set -eu
from=$1 staged=$2 how=$3
shift 3
cd "$from"
if [ "$how" != disk ]; then
  find . ! -type f ! -type d -delete
  find . -type f -perm /7000 -exec chmod a-st {} +
fi
database=var/lib/rancher/k3s/server/db
if [ "$how" = foreign ] && [ -e $database ]; then
  find $database -mindepth 1 ! -path $database/state.db ! -path $database/state.db-wal -delete
fi
for path; do
  # `ssh_host_*` is a pattern.
  for each in $path; do
    [ -e "$each" ] || continue
    mkdir -p "$staged/$(dirname "$each")"
    if [ "$how" = disk ]; then cp -a "$each" "$staged/$each"; else mv -T "$each" "$staged/$each"; fi
  done
done
sync -f "$staged"
