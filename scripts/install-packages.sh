#!/bin/bash
# Installs Debian packages for tests, as root, with one apt-get: without prompts, recommended packages and services. A package that
# Debian does not have is reported and left out.
#
#   scripts/install-packages.sh PACKAGE…
set -euo pipefail
[ $# -gt 0 ] || exit 0
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
[ "$(id -u)" = 0 ] || { echo 'install-packages: not root; run it with sudo' >&2; exit 1; }
command -v apt-get > /dev/null || { echo 'install-packages: no apt-get; only Debian and its relatives have it' >&2; exit 1; }
# Services do not start while this exits with 101.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ] || grep -qF 'for the tests of skolo' "$policy"; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\n# for the tests of skolo\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi
apt_get() { apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2 "$@" < /dev/null; }
apt_get update
mapfile -t available < <(apt-cache pkgnames | grep -Fxf <(printf '%s\n' "$@"))
comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "${available[@]}" | sort) | sed 's/^/not in Debian: /'
apt_get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${available[@]}" > /dev/null
