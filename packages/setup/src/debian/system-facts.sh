#!/bin/sh
# Prints the facts that judgeSystem (system.ts) judges. It changes nothing, and does not require root.
. /etc/os-release
least=
# Each may be a separate file system.
for each in /var/lib /var/lib/rancher /var/lib/skolo; do
  [ -d "$each" ] || continue
  # shellcheck disable=SC2046 # Two numbers.
  set -- $(df -kP "$each" | awk 'NR == 2 { print $4, $5 }')
  if [ -z "$least" ] || [ "$1" -lt "$least" ]; then folder=$each least=$1 used=${2%?}; fi
done
cat <<END
id=$ID
version=${VERSION_ID-none}
machine=$(uname -m)
kernel=$(uname -r)
userland=$(dpkg --print-architecture 2>/dev/null)
init=$(cat /proc/1/comm)
time=$(date +%s)
folder=$folder
freeKib=$least
diskKib=$(df -kP /var/lib /var/lib/rancher /var/lib/skolo 2>/dev/null | awk 'NR > 1 && $1 !~ "^/dev/" { isOther = 1 } NR > 1 && !seen[$6]++ { sum += $2 } END { print isOther ? 0 : sum }')
usedPercent=$used
isFilled=$(if systemctl is-active -q k3s.service 2>/dev/null || [ -e /var/lib/rancher/k3s/server/db ] || [ -e /var/lib/rancher/k3s/agent/client-kubelet.crt ] || [ -e /etc/kubernetes/kubelet.conf ]; then echo yes; else echo no; fi)
memoryKib=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
cgroupMemory=$(if counts_memory; then echo yes; else echo no; fi)
END
