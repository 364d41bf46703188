#!/bin/sh
# FOLDER GROUP: replaces a unit's files atomically, in the layout of the kubelet that skolo-fallback also writes: links into a version of the
# directory. Other files in the current version stay. Lines on standard input: PATH VALUE, in base64.
set -eu
umask 077
cd "$1"
gid=$2
for entry in *; do
  [ -e "$entry" ] || continue
  [ -L "$entry" ] || { echo "$PWD/$entry was created manually and is left unchanged; move it elsewhere" >&2; exit 1; }
done
new=$(mktemp -d "..skolo-XXXXXXXX")
trap 'rm -rf "$new"' EXIT
old=$(readlink ..data || true)
[ -z "$old" ] || cp -a "$old/." "$new/"
while read -r path value; do
  mkdir -p "$new/$(dirname "$path")"
  rm -f "$new/$path"
  printf %s "$value" | base64 -d > "$new/$path"
done
chown -R "0:$gid" "$new"
if [ "$gid" = 0 ]; then mode=0400; else mode=0440; fi
find "$new" -type d -exec chmod 0750 {} +
find "$new" -type f -exec chmod "$mode" {} +
sync -f "$new"
ln -sfn "$new" ..data_next
mv -T ..data_next ..data
trap - EXIT
for entry in "$new"/*; do
  name=${entry##*/}
  [ -L "$name" ] || ln -s "..data/$name" "$name"
done
[ -z "$old" ] || rm -rf "./$old"
sync -f .
