#!/bin/sh
# FROM STAGED HOW PATH...: moves (HOW is `unpacked`) or copies (`disk`) these paths, and nothing else, from FROM to STAGED, and prints which
# other files k3s' settings consist of. A path of a folder ends with a slash. What was unpacked may be hostile: only plain files and
# directories stay, without other names, and without the bits that let a file run. HOW is `foreign` for an archive that is not
# authenticated: of the k3s database, only SQLite's files are moved, because k3s would prefer others beside them.
set -eu
umask 077
from=$1 staged=$2 how=$3
shift 3
cd "$from"
if [ "$how" != disk ]; then
  find . ! -type f ! -type d -delete
  find . -type f -links +1 -delete
  find . -type f -perm /7111 -exec chmod a-xst {} +
fi
database=var/lib/rancher/k3s/server/db
if [ "$how" = foreign ] && [ -e $database ]; then
  find $database -mindepth 1 ! -path $database/state.db ! -path $database/state.db-wal -delete
fi
for path; do
  # `ssh_host_*` is a pattern.
  for each in ${path%/}; do
    case $path in */) [ -d "$each" ] || continue ;; *) [ -f "$each" ] || continue ;; esac
    mkdir -p "$staged/$(dirname "$each")"
    if [ "$how" = disk ]; then cp -a "$each" "$staged/$each"; else mv -T "$each" "$staged/$each"; fi
  done
done
[ ! -d etc/rancher/k3s ] || (cd etc/rancher/k3s && find registries.yaml config.yaml.d -type f 2>/dev/null | sort)
sync -f "$staged"
