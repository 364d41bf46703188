#!/bin/sh
# Written by skolo. Requests the name of this computer from the jumphost, until it has joined the cluster.
: "${url:?}" "${root?}" "${state:?}" "${run:?}" "${templates:?}" "${name_file:?}"
joined=$root/var/lib/rancher/k3s/agent/client-kubelet.crt

# say TEXT: prints to the log and above the login prompt on a screen. The text may come from the network.
say() {
  text=$(printf '%s' "$1" | tr -cd ' -~' | cut -c 1-300)
  [ "$text" != "${said-}" ] || return 0
  said=$text
  echo "$text"
  mkdir -p "$root/run/issue.d" && (umask 022; printf 'skolo: %s\nserial number %s\n\n' "$text" "$serial" > "$root/run/issue.d/skolo.issue")
}

# pause ROUND: sleeps longer with each round, for a random time, so that computers do not retry together.
pause() {
  most=$((5 << ($1 < 5 ? $1 - 1 : 4)))
  [ "$most" -le 60 ] || most=60
  random=$(od -An -N2 -tu2 /dev/urandom)
  sleep $((most / 2 + random % (most / 2 + 1)))
}

# Each SD card generates its own key and keeps it.
make_key() {
  [ ! -s "$state/cert.pem" ] || return 0
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$state/key.new" &&
    openssl req -x509 -new -key "$state/key.new" -subj /CN=skolo -days 3650 -out "$state/cert.new" &&
    sync && mv -f "$state/key.new" "$state/key.pem" && mv -f "$state/cert.new" "$state/cert.pem" && sync
}

tree() { tr -d '\0' < "$root/proc/device-tree/$1" | tr -cd 'A-Za-z0-9 .,()+-' | cut -c 1-100; }

body() {
  macs=
  for each in "$root"/sys/class/net/*; do
    [ -e "$each/device" ] && mac=$(cat "$each/address") || continue
    printf '%s' "$mac" | grep -Eqx '([0-9a-f]{2}:){5}[0-9a-f]{2}' && macs="$macs${macs:+,}\"$mac\""
  done
  printf '{"serial":"%s","model":"%s","macs":[%s]' "$serial" "$(tree model)" "$macs"
  [ ! -s "$state/secret" ] || printf ',"secret":"%s"' "$(tr -cd 'A-Za-z0-9._-' < "$state/secret")"
  printf '}'
}

value() { sed -n "s/^$1=//p" "$run/answer" | head -n 1; }

# Restores pairing records of iPhones before usbmuxd creates new ones. Other files are ignored, because a task may have written the archive.
restore_lockdown() {
  status=$(ask "$run/lockdown" "$url/v1/lockdown") || return 1
  [ "$status" != 404 ] || return 0
  [ "$status" = 200 ] || return 1
  rm -rf "$run/unpacked" && mkdir "$run/unpacked" && tar -xzf "$run/lockdown" -C "$run/unpacked" || return 1
  mkdir -p "$root/var/lib/lockdown"
  for each in "$run"/unpacked/*.plist; do
    if [ -f "$each" ] && [ ! -L "$each" ]; then put "$root/var/lib/lockdown/${each##*/}" 600 < "$each" || return 1; fi
  done
  rm -rf "$run/unpacked" "$run/lockdown"
}

# become FOLDER: installs the templates in FOLDER, filled with this name and address.
become() {
  (cd "$root$templates/$1" 2> /dev/null && find . -type f) | while read -r each; do
    from=$root$templates/$1/$each
    if [ -n "$address" ]; then sed -e "s/@NAME@/$name/g" -e "s/@ADDRESS@/$address/g" "$from"
    else sed -e "s/@NAME@/$name/g" -e /@ADDRESS@/d "$from"; fi | put "$root/$each" "$(stat -c %a "$from")" || exit 1
  done
}

take() {
  name=$(value name) address=$(value address)
  printf '%s' "$name" | grep -Eqx '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?' || return 1
  [ -z "$address" ] || printf '%s' "$address" | grep -Eqx '[0-9]{1,3}([.][0-9]{1,3}){3}' || return 1
  value token | grep -Eqx 'K10[0-9a-f]{64}::[a-z0-9]{6}[.][a-z0-9]{16}' || return 1
  value token | put "$root/etc/rancher/k3s/token" 600 || return 1
  sync
  [ "$(cat "$root$name_file" 2> /dev/null)" != "$name $address" ] || return 0
  restore_lockdown && become every && { [ -z "$address" ] || become fixed; } || return 1
  printf '%s\n' "$name" | put "$root/etc/hostname" 644 || return 1
  sync
  printf '%s\n' "$name $address" | put "$root$name_file" 644 || return 1
  sync
  is_new=yes
}

# The key is enrolled, so the secret of the image is no longer needed.
wipe_secret() {
  [ -e "$state/secret" ] || return 0
  dd if=/dev/zero of="$state/secret" bs=100 count=1 conv=notrunc,fsync 2> /dev/null
  rm -f "$state/secret"
}

serial=unknown
until serial=$(tree serial-number | tr A-F a-f) && printf '%s' "$serial" | grep -Eqx '[0-9a-f]{16}'; do
  serial=unknown
  say 'this Pi has no serial number, so it cannot enrol'
  sleep 60
done
round=0
until [ -s "$joined" ]; do
  round=$((round + 1)) is_new=
  make_key || { say 'generating the key failed'; pause "$round"; continue; }
  status=$(body | ask "$run/answer" --header 'content-type: application/json' --data-binary @- "$url/v1/enrol" 2> "$run/error")
  code=$?
  if [ "$code" = 90 ]; then
    say "$url does not have the key that this image expects; if the jumphost was replaced, burn a new image"
  elif [ "$code" != 0 ]; then
    say "the request to $url failed: $(tail -n 1 "$run/error")"
  elif [ "$status" = 202 ]; then
    say "enrolment pending: $(cat "$run/answer")"
  elif [ "$status" != 200 ]; then
    say "enrolment failed ($status): $(cat "$run/answer")"
  elif ! take; then
    say "cannot apply the response from $url; trying again"
  else
    rm -f "$run/answer"
    wipe_secret
    # Reboots, so that every program starts with the new name and address.
    if [ -n "$is_new" ]; then say "enrolled as $name; rebooting"; systemctl reboot; exit 0; fi
    say "enrolled as $name; joining the cluster"
    systemctl restart --no-block k3s-agent.service
    left=120
    until [ -s "$joined" ] || [ "$left" = 0 ]; do left=$((left - 1)); sleep 5; done
    round=0
    continue
  fi
  rm -f "$run/answer"
  pause "$round"
done
say "$(cut -d ' ' -f 1 "$root$name_file") has joined the cluster"
rm -f "$root/run/issue.d/skolo.issue"
systemctl disable skolo-enrol.service
