#!/bin/sh
# Written by skolo. skolo-node-network start: before k3s starts, finds the interface of this node's own address for flannel, and adds a
# route of last resort. skolo-node-network check: prints what differs.
set -u
export LC_ALL=C
: "${last_resort:?}" "${environment:?}"
root=${SKOLO_ROOT-}
config=$root/etc/rancher/k3s/config.yaml
# Prints a setting; of a list, the first item.
value() {
  sed '' "$config" "$config.d"/*.y*ml 2> /dev/null | awk -v "name=$1:" '
    { sub(/\r$/, ""); text = "" }
    isOpen && /^ *-/ { text = $0; sub(/^ *-/, "", text) }
    /^[^ #-]/ { isOpen = 0 }
    index($0, name) == 1 { text = substr($0, length(name) + 1); isOpen = 1 }
    { if (sub(/^ *\[/, "", text)) sub(/].*/, "", text) }
    { gsub(/["\047]/, "", text); sub(/^ */, "", text); sub(/[ ,#].*/, "", text) }
    text != "" { found = text; isOpen = 0 }
    END { print found }'
}
address=$(value node-ip)
server=$(value server)
host=${server#https://} host=${host%:*} host=${host#[} host=${host%]}
case ${address:-$host} in *:*) family=-6 ;; *) family=-4 ;; esac

# Prints the interface of the node's own address. Without an address in the settings, the server must respond over it: a phone may be
# connected first.
find_interface() {
  if [ -n "$address" ]; then
    ip -o address show to "$address" | awk '{ print $2; exit }'
  elif [ -n "$host" ]; then
    ! command -v curl > /dev/null || curl -qks --noproxy '*' --max-time 5 -o /dev/null "$server" || return
    ip -o route get "$(getent ahosts "$host" | awk '{ print $1; exit }')" 2> /dev/null |
      sed -n 's/.* dev \([^ ]*\).*/\1/p' | grep -vxF -e lo -e "$last_resort"
  fi
}

# Prints the pod networks that are over another interface, and that interface.
elsewhere() {
  for each in flannel.1 flannel-v6.1; do
    over=$(ip -o -d link show "$each" 2> /dev/null | sed -n 's/.* vxlan .* dev \([^ ]*\) .*/\1/p')
    case $over in '' | "${interface:-$over}") ;; *) echo "$each $over" ;; esac
  done
}

if [ "$1" = check ]; then
  interface=$(find_interface)
  elsewhere | while read -r _ over; do
    echo "pods communicate over $over instead of $interface, the interface of this node's own address"
  done
  [ -n "$(ip $family route show default dev "$last_resort" 2> /dev/null)" ] || echo 'there is no route of last resort'
  exit
fi
left=60
while interface=$(find_interface); [ -z "$interface" ] && [ -n "$address$host" ]; do
  left=$((left - 1))
  [ "$left" -gt 0 ] || {
    echo "no interface has ${address:-an address from which $server responds}; check the network cable, and ip address" >&2
    exit 1
  }
  sleep 1
done
echo "SKOLO_FLANNEL_IFACE=$interface" > "$root$environment"
# flannel makes it again.
elsewhere | while read -r each _; do ip link delete "$each"; done
ip link show "$last_resort" > /dev/null 2>&1 || ip link add "$last_resort" type bridge
ip link set "$last_resort" up && ip $family route replace default dev "$last_resort" metric 2147483647 ||
  echo 'cannot add the route of last resort' >&2
