#!/bin/sh
# Prints what would fail, changes nothing, ends with `end`. The function in front of it, `each_change`, calls `folder` or `file` with each path and
# owner.
me=$(id -u)
may_write() {
  above=$1
  while [ -n "$above" ] && [ ! -d "$above" ]; do above=${above%/*}; done
  [ -w "$above/" ] || echo "cannot write to $above/"
}
owner() { [ "$me" = 0 ] || [ "$me" = "$2" ] || echo "only root can give $1 to its owner $2"; }
file() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then echo "$1 is a folder, and not in the version"; fi
  may_write "${1%/*}"
  owner "$1" "$2"
}
folder() {
  if [ -e "$1" ] && [ ! -d "$1" ]; then echo "$1 is not a folder, as in the version"; fi
  [ -d "$1" ] || may_write "${1%/*}"
  owner "$1" "$2"
}
each_change | sort -u
echo end
