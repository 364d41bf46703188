/**
 * The network of a node, each time k3s starts: a script for a POSIX shell, with iproute2.
 *
 * By default, flannel sends the traffic of pods over the interface with the default route, which may be another network, and without a
 * default route, k3s exits. An option names the interface, but its name may change with each boot, so the script finds it by its address.
 * Without an address in the settings, k3s uses that of this interface.
 *
 * Without any default route, processes of the node also cannot connect to services of the cluster, because the kernel looks for a route
 * before kube-proxy's rules apply. An `unreachable` or `blackhole` route fails such connections, too. A bridge without ports leads
 * nowhere, and every node has the kernel's bridge module, unlike that for the dummy interface of k3s's documentation. Other destinations
 * fail after 3 s, as if the router were off.
 * Sources: docs.k3s.io, Air-Gap Install (Default Network Route); k3s, pkg/agent/flannel/flannel.go (LookupExtInterface) and
 * pkg/cli/agent/agent.go; flannel, pkg/ip/iface.go.
 */
import type { TextFile } from '@skolo/setup/engine';

export const networkScript = '/usr/local/sbin/skolo-node-network';
/** The environment of k3s, with `SKOLO_FLANNEL_IFACE`. */
export const networkFile = '/run/skolo-node-network';
/** The interface of the route of last resort, which does not count as a default route: nothing can be reached over it. */
export const lastResort = 'skolo-last';

/** Tests run it with a different root. */
const script = `#!/bin/sh
# Written by skolo. skolo-node-network start: before k3s starts, finds the interface of this node's own address for flannel, and adds a
# route of last resort. skolo-node-network check: prints what differs.
set -u
export LC_ALL=C
root=\${SKOLO_ROOT-}
config=$root/etc/rancher/k3s/config.yaml
# Prints a setting; of a list, the first item.
value() {
  sed '' "$config" "$config.d"/*.y*ml 2> /dev/null | awk -v "name=$1:" '
    { sub(/\\r$/, ""); text = "" }
    isOpen && /^ *-/ { text = $0; sub(/^ *-/, "", text) }
    /^[^ #-]/ { isOpen = 0 }
    index($0, name) == 1 { text = substr($0, length(name) + 1); isOpen = 1 }
    { if (sub(/^ *\\[/, "", text)) sub(/].*/, "", text) }
    { gsub(/["\\047]/, "", text); sub(/^ */, "", text); sub(/[ ,#].*/, "", text) }
    text != "" { found = text; isOpen = 0 }
    END { print found }'
}
address=$(value node-ip)
server=$(value server)
host=\${server#https://} host=\${host%:*} host=\${host#[} host=\${host%]}
case \${address:-$host} in *:*) family=-6 ;; *) family=-4 ;; esac

# Prints the interface of the node's own address. Without an address in the settings, the server must respond over it: a phone may be
# connected first.
find_interface() {
  if [ -n "$address" ]; then
    ip -o address show to "$address" | awk '{ print $2; exit }'
  elif [ -n "$host" ]; then
    ! command -v curl > /dev/null || curl -qks --noproxy '*' --max-time 5 -o /dev/null "$server" || return
    ip -o route get "$(getent ahosts "$host" | awk '{ print $1; exit }')" 2> /dev/null |
      sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | grep -vxF -e lo -e ${lastResort}
  fi
}

# Prints the pod networks that are over another interface, and that interface.
elsewhere() {
  for each in flannel.1 flannel-v6.1; do
    over=$(ip -o -d link show "$each" 2> /dev/null | sed -n 's/.* vxlan .* dev \\([^ ]*\\) .*/\\1/p')
    case $over in '' | "\${interface:-$over}") ;; *) echo "$each $over" ;; esac
  done
}

if [ "$1" = check ]; then
  interface=$(find_interface)
  elsewhere | while read -r _ over; do
    echo "pods communicate over $over instead of $interface, the interface of this node's own address"
  done
  [ -n "$(ip $family route show default dev ${lastResort} 2> /dev/null)" ] || echo 'there is no route of last resort'
  exit
fi
left=60
while interface=$(find_interface); [ -z "$interface" ] && [ -n "$address$host" ]; do
  left=$((left - 1))
  [ "$left" -gt 0 ] || {
    echo "no interface has \${address:-an address from which $server responds}; check the network cable, and ip address" >&2
    exit 1
  }
  sleep 1
done
echo "SKOLO_FLANNEL_IFACE=$interface" > "$root${networkFile}"
# flannel makes it again.
elsewhere | while read -r each _; do ip link delete "$each"; done
ip link show ${lastResort} > /dev/null 2>&1 || ip link add ${lastResort} type bridge
ip link set ${lastResort} up && ip $family route replace default dev ${lastResort} metric 2147483647 ||
  echo 'cannot add the route of last resort' >&2
`;

export const networkScriptFile: TextFile = { path: networkScript, content: script, mode: 0o755 };
