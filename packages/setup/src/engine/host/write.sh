#!/bin/sh
# DRAFT FOLDER PATH SHA256 MODE: writes standard input to the file. The bytes are verified before the draft is renamed, because
# standard input also ends when the connection does.
set -eu
new=$1 folder=$2
# Parent folders are readable by all users, but the draft is not.
umask 022
mkdir -p "$folder"
umask 077
trap 'rm -f "$new"' EXIT
cat > "$new"
case $(sha256sum "$new") in "$4"*) ;; *) echo 'the file was damaged in transit; try again' >&2; exit 3 ;; esac
chown 0:0 "$new"
chmod "$5" "$new"
sync "$new"
mv -f "$new" "$3"
sync "$folder"
