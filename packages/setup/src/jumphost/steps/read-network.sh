#!/bin/sh
# ADDRESS ROUTES NAMES: prints the interface with the address, the routes to the addresses in ROUTES, which names cannot be resolved, and faults.
# The other computers and switches of a rack have the MTU of Ethernet.
routes=$2 names=$3
device=$(ip -o address show to "$1" | awk 'NR == 1 { print $2 }')
[ -n "$device" ] || exit 0
echo "$device"
[ -n "$(ip -o address show up to 127.0.0.1)" ] || echo 'programs on this computer cannot reach each other at 127.0.0.1; run ip link set lo up, and ip address show lo'
for each in $routes; do
  found=$(ip -o route get "$each" 2> /dev/null)
  echo "route $each $(echo "$found" | sed -n 's/.* dev \([^ ]*\) .*/\1/p')$(echo "$found" | sed -n 's/.* mtu \(lock \)\{0,1\}\([0-9]*\).*/ mtu \2/p')"
done
mtu=$(cat "/sys/class/net/$device/mtu" 2> /dev/null)
[ "${mtu:-1500}" = 1500 ] || echo "$device has MTU $mtu instead of 1500, so large packets are lost; run ip link set $device mtu 1500, and fix the network settings"
for each in /sys/class/net/"$device"/lower_*/mtu; do
  [ -e "$each" ] || continue
  lower=${each%/mtu} lower=${lower##*/lower_} mtu=$(cat "$each")
  [ "$mtu" -ge 1500 ] || echo "$lower, through which $device sends, has MTU $mtu instead of 1500, so large packets are lost; run ip link set $lower mtu 1500, and fix the network settings"
done
tc qdisc show dev "$device" 2> /dev/null | awk '$2 ~ /^(netem|tbf|ingress|clsact)$/ { print $2 }' | while read -r each; do
  echo "$device has the queueing discipline $each, which may drop or delay packets; run tc qdisc show dev $device to list it"
done
for each in $(ip -o neigh show nud permanent dev "$device" | awk '{ print $1 }'); do
  case " $routes " in *" $each "*) echo "the MAC address of $each is permanent, so a replaced device is unreachable; run ip neigh delete $each dev $device" ;; esac
done
for each in $names; do
  timeout 20 getent ahosts "$each" > /dev/null || echo "name $each" &
done
wait
