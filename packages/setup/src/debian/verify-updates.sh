#!/bin/sh
# FILE: prints which of apt's files override our file for automatic updates.
dump=$(apt-config dump 2>&1) || { echo "by hand: apt cannot read its configuration: $(echo "$dump" | sed -n 's/^E: //p' | head -n 1); fix that file"; exit 0; }
# is KEY VALUE EFFECT: a later file may override the key.
is() {
  ! echo "$dump" | grep -qxF "$1 \"$2\";" || return 0
  where=$(grep -sHnE "^[^/]*${1##*::}[[:space:]]+\"" /etc/apt/apt.conf.d/* /etc/apt/apt.conf | grep -vF "\"$2\"" | cut -d : -f 1,2 | paste -sd ' ' -)
  echo "by hand: another file $3: ${where:-below /etc/apt}; fix that file"
}
if [ -e "$1" ]; then
  is Unattended-Upgrade::Automatic-Reboot false 'lets updates reboot the computer'
  is APT::Periodic::Unattended-Upgrade 1 'turns updates off'
fi
