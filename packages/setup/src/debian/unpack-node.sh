#!/bin/sh
# FOLDER VERSION PROGRAM SHA256: unpacks the archive on standard input to FOLDER/VERSION, and links PROGRAM to it. The archive is
# verified before any of it runs. An existing directory is complete.
set -eu
folder=$1 version=$1/$2 program=$3
umask 022
mkdir -p "$folder"
rm -rf "$folder"/new.*
new=$(mktemp -d "$folder/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
cat > "$new/archive"
case $(sha256sum "$new/archive") in "$4"*) ;; *) echo 'the file was damaged in transit; try again' >&2; exit 3 ;; esac
mkdir "$new/node"
tar -xzf "$new/archive" -C "$new/node" --strip-components=1 --no-same-owner
"$new/node/bin/node" --version > /dev/null
sync -f "$new"
rm -rf "$version"
mv "$new/node" "$version"
ln -sfn "$version/bin/node" "$program.skolo-new"
mv -T "$program.skolo-new" "$program"
