#!/bin/sh
# Prints facts about a node. The clock is first: about when the command arrived.
unit=none; for each in k3s k3s-agent kubelet; do if systemctl is-active -q "$each"; then unit=$each; fi; done
log() { timeout 20 journalctl -u "$unit" --since '-1 hour' -o cat --no-pager 2>/dev/null; }
cat <<END
time=$(date +%s.%N)
synchronized=$(timedatectl show --value --property=NTPSynchronized 2>/dev/null)
userland=$(dpkg --print-architecture)
swapKib=$(awk 'NR > 1 { sum += $3 } END { print sum + 0 }' /proc/swaps)
cgroupMemory=$(if counts_memory; then echo yes; else echo no; fi)
throttled=$(vcgencmd get_throttled 2>/dev/null | cut -d = -f 2)
celsius=$(awk '{ print $1 / 1000 }' /sys/class/thermal/thermal_zone0/temp 2>/dev/null)
freeMib=$(df -mP /var/lib | awk 'NR == 2 { print $4 }')
usedPercent=$(df -P /var/lib | awk 'NR == 2 { print $5 + 0 }')
unit=$unit
restarts=$(systemctl show --value --property=NRestarts "$unit.service")
tlsTimeouts=$(log | grep -c 'TLS handshake timeout')
notYetValid=$(log | grep -c 'certificate has expired or is not yet valid')
slowDatabase=$(log | grep -cE 'Slow SQL|slow fdatasync|apply request took too long')
END
