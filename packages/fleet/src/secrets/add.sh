#!/bin/sh
# PATH OWN: writes the value on standard input, in base64, to a file that must not exist yet. OWN is the file of k3s's own token.
set -eu
(umask 022; mkdir -p "${1%/*}")
umask 077
read -r value
new=$(mktemp "$1.XXXXXXXX")
trap 'rm -f "$new"' EXIT
printf %s "$value" | base64 -d > "$new"
if is_another "$new"; then
  echo "k3s uses a different token from the one in the secret store; save the token in $2 with skolo secrets set, or run k3s token rotate there" >&2
  exit 1
fi
sync "$new"
ln "$new" "$1"
