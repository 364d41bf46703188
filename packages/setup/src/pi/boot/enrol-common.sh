#!/bin/sh
# URL PIN: the common beginning of skolo-enrol and skolo-lockdown. Tests run them with a different root.
set -u
: "${state_folder:?}"
umask 077
export LC_ALL=C
# shellcheck disable=SC2034 # For the scripts behind it.
url=$1 pin=$2
root=${SKOLO_ROOT-}
state=$root$state_folder
run=$root/run/skolo-enrol
mkdir -p "$state" "$run"

# ask FILE ARGUMENT…: sends a request, prints the status, and writes the response to FILE. Only the server with the pinned key is trusted.
# The dates of its certificate are ignored, because the clock of this computer may start in 1970.
ask() {
  answer=$1; shift
  curl -q --silent --show-error --noproxy '*' --insecure --pinnedpubkey "$pin" --cert "$state/cert.pem" --key "$state/key.pem" \
    --connect-timeout 10 --max-time 90 --output "$answer" --write-out '%{http_code}' "$@"
}
