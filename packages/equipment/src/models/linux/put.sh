#!/bin/sh
# ID: puts the files of `new.tar`, which is in the current directory, in place. Ends with `done`, or with `given up` if everything is as before.
# Keeps replaced files in the directory `old`. ID makes unique names next to the files. Functions in front of it call a function with each
# folder, mode and owner (each_folder), and with each file and its number (each_file; each_file_last_first).
set -u
id=$1
umask 022
trap '' HUP PIPE INT TERM
stage=$PWD
placed=0
made=
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
# A name beside a path, in the same folder, so that moving it there is one step.
beside() { echo "${1%/*}/.skolo-$id-${1##*/}"; }
give_up() {
  echo "$1"
  each_file_last_first back
  echo "$made" | while IFS= read -r folder; do [ -z "$folder" ] || rmdir "$folder"; done
  rm -rf "$stage/new" "$stage/old"
  echo 'given up'
  exit 1
}
make() {
  if [ -z "$1" ] || [ -d "$1" ]; then return; fi
  make "${1%/*}"
  mkdir -m 755 "$1" || give_up "cannot make $1"
  made="$1
$made"
}
prepare() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then give_up "$1 is a folder, and not in the version"; fi
  make "${1%/*}"
  if is_there "$1"; then
    { mkdir -p "$stage/old${1%/*}" && cp -pP "$1" "$stage/old$1"; } || give_up "cannot keep $1"
  fi
  rm -f "$(beside "$1")"
  cp -pP "$stage/new$1" "$(beside "$1")" || give_up "cannot write beside $1"
}
move() {
  # It would be moved into the folder that the link leads to.
  if [ -L "$1" ] && [ -d "$1" ]; then rm -f "$1"; fi
  # A link that leads to what it replaces is "the same file".
  mv -f "$(beside "$1")" "$1" || { [ -L "$(beside "$1")" ] && rm -f "$1" && mv -f "$(beside "$1")" "$1"; }
}
place() {
  move "$1" || give_up "cannot replace $1"
  placed=$((placed + 1))
}
back() {
  rm -f "$(beside "$1")"
  if [ "$placed" -ge "$2" ] || ! is_there "$1"; then
    if is_there "$stage/old$1"; then
      { cp -pP "$stage/old$1" "$(beside "$1")" && move "$1"; } || echo "cannot put $1 back"
    else
      rm -f "$1"
    fi
  fi
}
adjust() {
  chmod "$2" "$1" || echo "cannot change the mode of $1"
  if [ "$(id -u)" = 0 ]; then chown "$3" "$1" || echo "cannot change the owner of $1"; fi
}
umask 077
mkdir new old || exit 1
umask 022
tar -x -p -m -f new.tar -C new || give_up 'cannot unpack it'
each_folder make
each_file prepare
sync
each_file place
each_folder adjust
sync
rm -rf new new.tar put.sh
rmdir old 2>/dev/null || echo "what was replaced is kept in $stage/old"
echo 'done'
