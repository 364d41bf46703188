#!/bin/sh
# FOLDER: makes a folder in it, prints its name, and removes it when standard input ends, after it has ended the processes that standard input
# lists: "+N" adds one, "-N" takes one out.
trap '' HUP INT QUIT TERM
folder=$(mktemp -d "$1/skolo-XXXXXX") || exit 1
echo "$folder"
exec >&- 2>&-
pids=
while read -r line; do
  pid=${line#?}
  case $line in
    +*) pids="$pids $pid" ;;
    *) rest=; for each in $pids; do [ "$each" = "$pid" ] || rest="$rest $each"; done; pids=$rest ;;
  esac
done
for each in $pids; do kill -HUP "$each"; kill -CONT "$each"; done 2>/dev/null
rm -rf "$folder"
