#!/bin/sh
# TIME_ZONE KEYBOARD LOCALE: sets them.
timezone=$1 zone=/usr/share/zoneinfo/$1 keyboard=$2 language=$3
set -e
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
[ -e "$zone" ] || { echo "the time zone $timezone does not exist; run apt-get install tzdata, or fix its name" >&2; exit 1; }
ln -sfn "$zone" /etc/localtime
echo "$timezone" > /etc/timezone
# put KEY VALUE FILE: sets a variable in FILE, which may be a link.
put() {
  touch "$3"
  { grep -v "^$1=" "$3" || true; printf '%s="%s"\n' "$1" "$2"; } > "$3.skolo-new"
  cat "$3.skolo-new" > "$3"
  rm -f "$3.skolo-new"
}
[ -e /etc/default/keyboard ] || printf 'XKBMODEL="pc105"\nXKBVARIANT=""\nXKBOPTIONS=""\nBACKSPACE="guess"\n' > /etc/default/keyboard
put XKBLAYOUT "$keyboard" /etc/default/keyboard
! command -v setupcon > /dev/null || setupcon --force --save-only || true
case $language in
  C.UTF-8 | C | POSIX) ;;
  *) if command -v raspi-config > /dev/null; then raspi-config nonint do_change_locale "$language"
     elif [ -e /etc/locale.gen ]; then
       grep -q "^$language" /etc/locale.gen || sed -i "s/^# *\($language .*\)/\1/" /etc/locale.gen
       locale-gen
     else echo 'no locales are available; run apt-get install locales' >&2; exit 1
     fi > /dev/null ;;
esac
put LANG "$language" /etc/default/locale
