#!/bin/sh
# Prints facts. The model is in the device tree, which other computers lack.
. /etc/os-release
cat <<END
model=$(tr -d '\0' < /proc/device-tree/model 2>/dev/null)
kernel=$(uname -m)
userland=$(dpkg --print-architecture 2>/dev/null)
init=$(cat /proc/1/comm)
family=$ID ${ID_LIKE-}
system=${PRETTY_NAME-$ID}
memoryKib=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
freeKib=$(df -kP / | awk 'NR == 2 { print $4 }')
time=$(date +%s)
isTimeKnown=$(if [ "$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)" = yes ]; then echo yes; else echo no; fi)
END
