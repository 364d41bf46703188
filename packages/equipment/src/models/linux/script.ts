/** Scripts that put files in place on a host, for any POSIX shell. */

import { shellWord } from '@skolo/base';
import type { NewMember } from '../configuration/archive-write.ts';

/**
 * Runs in the directory with `new.tar`. Ends with `done`, or with `given up` if everything is as before. Keeps replaced files in the
 * directory `old`.
 *
 * @param id for unique names next to the files
 */
export function script(changes: readonly NewMember[], id: string): string {
  const paths = changes.filter(({ type }) => type !== 'folder').map(pathOf);
  const folders = changes.filter(({ type }) => type === 'folder');
  const numbered = paths.map((path, index) => `back ${index + 1} ${path}`);
  return `set -u
umask 022
trap '' HUP PIPE INT TERM
stage=$PWD
placed=0
made=
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
# A name beside a path, in the same folder, so that moving it there is one step.
beside() { echo "\${1%/*}/.skolo-${id}-\${1##*/}"; }
give_up() {
  echo "$1"
  undo
  echo "$made" | while IFS= read -r folder; do [ -z "$folder" ] || rmdir "$folder"; done
  rm -rf "$stage/new" "$stage/old"
  echo 'given up'
  exit 1
}
make() {
  if [ -z "$1" ] || [ -d "$1" ]; then return; fi
  make "\${1%/*}"
  mkdir -m 755 "$1" || give_up "cannot make $1"
  made="$1
$made"
}
prepare() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then give_up "$1 is a folder, and not in the version"; fi
  make "\${1%/*}"
  if is_there "$1"; then
    { mkdir -p "$stage/old\${1%/*}" && cp -pP "$1" "$stage/old$1"; } || give_up "cannot keep $1"
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
  rm -f "$(beside "$2")"
  if [ "$placed" -ge "$1" ] || ! is_there "$2"; then
    if is_there "$stage/old$2"; then
      { cp -pP "$stage/old$2" "$(beside "$2")" && move "$2"; } || echo "cannot put $2 back"
    else
      rm -f "$2"
    fi
  fi
}
adjust() {
  chmod "$2" "$1" || echo "cannot change the mode of $1"
  if [ "$(id -u)" = 0 ]; then chown "$3" "$1" || echo "cannot change the owner of $1"; fi
}
undo() {
:
${numbered.reverse().join('\n')}
}
umask 077
mkdir new old || exit 1
umask 022
tar -x -p -m -f new.tar -C new || give_up 'cannot unpack it'
${folders.map((folder) => `make ${pathOf(folder)}`).join('\n')}
${paths.map((path) => `prepare ${path}`).join('\n')}
sync
${paths.map((path) => `place ${path}`).join('\n')}
${folders.map((folder) => `adjust ${pathOf(folder)} ${octal(folder)} ${folder.uid}:${folder.gid}`).join('\n')}
sync
rm -rf new new.tar put.sh
rmdir old 2>/dev/null || echo "what was replaced is kept in $stage/old"
echo done
`;
}

/** Prints what would fail, changes nothing, ends with `end`. */
export function rehearsal(changes: readonly NewMember[]): string {
  const lines = changes.map((member) =>
    [member.type === 'folder' ? 'folder' : 'entry', pathOf(member), member.uid].join(' '),
  );
  return `me=$(id -u)
may_write() {
  above=$1
  while [ -n "$above" ] && [ ! -d "$above" ]; do above=\${above%/*}; done
  [ -w "$above/" ] || echo "cannot write to $above/"
}
owner() { [ "$me" = 0 ] || [ "$me" = "$2" ] || echo "only root can give $1 to its owner $2"; }
entry() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then echo "$1 is a folder, and not in the version"; fi
  may_write "\${1%/*}"
  owner "$1" "$2"
}
folder() {
  if [ -e "$1" ] && [ ! -d "$1" ]; then echo "$1 is not a folder, as in the version"; fi
  [ -d "$1" ] || may_write "\${1%/*}"
  owner "$1" "$2"
}
{
${lines.join('\n')}
} | sort -u
echo end
`;
}

function pathOf({ name }: NewMember): string {
  return shellWord(`/${name}`);
}

function octal({ mode }: NewMember): string {
  return mode.toString(8).padStart(4, '0');
}
