/** Decides whether a jumphost's network works: the kernel sends packets to the rack and the internet, and programs can resolve names. */
import { shellWord } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { fewOf, type Host, linesOf, type Step } from '@skolo/setup/engine';
import { lastResort } from '@skolo/setup/k3s';
import { isIn } from '../address/fixed-address.ts';
import { equipmentOf, familyOf, outside } from '../address/rack-addresses.ts';

/**
 * Asks the kernel for its route to each address, because each table (`ip rule`) may have one, and the resolver of programs for names,
 * because nsswitch.conf and /etc/hosts also decide.
 *
 * @param subnet of the rack
 */
export function networkStep(rack: Rack, subnet: string): Step {
  const { address } = rack.jumphost;
  // A jumphost may be the rack's router.
  const addresses = equipmentOf(rack).filter((each) => each !== address);
  const internet = outside[familyOf(address)];
  async function check(host: Host) {
    const script = scriptOf(address, [internet, ...addresses], namesIn(rack));
    const [device = '', ...lines] = linesOf(await host.need(script, { deadlineMs: 120_000 }));
    const routes = lines.flatMap((line) => {
      const [, to, via, mtu = '1500'] = /^route (\S+) (\S*?)(?: mtu (\d+))?$/.exec(line) ?? [];
      return to === undefined || via === undefined ? [] : [{ to, via, mtu: Number(mtu) }];
    });
    const small = routes.filter(({ to, mtu }) => isIn(to, subnet) && mtu < 1500);
    const wrong = routes.filter(({ to, via }) =>
      isIn(to, subnet) ? via !== device : ['', 'lo', lastResort].includes(via),
    );
    const elsewhere = wrong.filter(({ to }) => to !== internet);
    const named = elsewhere.map(({ to, via }) => `${to} (${via || 'no route'})`);
    const names = lines.flatMap((line) => /^name (.+)$/.exec(line)?.[1] ?? []);
    return {
      differs: [
        ...lines.filter((line) => !/^(?:route|name) /.test(line)),
        ...(elsewhere.length < wrong.length
          ? [
              `there is no default route, so the internet is unreachable; add the gateway to the network settings (ip route get ${internet})`,
            ]
          : []),
        ...(named.length > 0
          ? [
              `${named.length} of ${addresses.length} addresses in rack.yaml are not routed over ${device}: ${fewOf(named)}; remove the route or rule (ip rule; ip route show table all)`,
            ]
          : []),
        ...(small.length > 0
          ? [
              `large packets to ${fewOf(small.map(({ to, mtu }) => `${to} (MTU ${mtu})`))} are lost, because of their route; run ip route get ${small[0]?.to}, and remove its mtu from the network settings, or run ip route flush cache`,
            ]
          : []),
        ...(names.length > 0
          ? [
              `${fewOf(names)} cannot be resolved; check the name servers in /etc/resolv.conf, \`hosts\` in /etc/nsswitch.conf, and the internet connection`,
            ]
          : []),
      ],
    };
  }
  return {
    name: 'network',
    about: 'the jumphost has routes to the internet and all equipment, and can resolve names',
    check,
  };
}

/** Prints the interface, routes, and faults. The other computers and switches of a rack have the MTU of Ethernet. */
function scriptOf(address: string, to: readonly string[], names: readonly string[]): string {
  const words = (all: readonly string[]) => all.map(shellWord).join(' ');
  return `device=$(ip -o address show to ${shellWord(address)} | awk 'NR == 1 { print $2 }')
[ -n "$device" ] || exit 0
echo "$device"
for each in ${words(to)}; do
  found=$(ip -o route get "$each" 2> /dev/null)
  echo "route $each $(echo "$found" | sed -n 's/.* dev \\([^ ]*\\) .*/\\1/p')$(echo "$found" | sed -n 's/.* mtu \\(lock \\)\\{0,1\\}\\([0-9]*\\).*/ mtu \\2/p')"
done
mtu=$(cat "/sys/class/net/$device/mtu" 2> /dev/null)
[ "\${mtu:-1500}" = 1500 ] || echo "$device has MTU $mtu instead of 1500, so large packets are lost; run ip link set $device mtu 1500, and fix the network settings"
for each in /sys/class/net/"$device"/lower_*/mtu; do
  [ -e "$each" ] || continue
  lower=\${each%/mtu} lower=\${lower##*/lower_} mtu=$(cat "$each")
  [ "$mtu" -ge 1500 ] || echo "$lower, through which $device sends, has MTU $mtu instead of 1500, so large packets are lost; run ip link set $lower mtu 1500, and fix the network settings"
done
tc qdisc show dev "$device" 2> /dev/null | awk '$2 ~ /^(netem|tbf|ingress|clsact)$/ { print $2 }' | while read -r each; do
  echo "$device has the queueing discipline $each, which may drop or delay packets; run tc qdisc show dev $device to list it"
done
for each in $(ip -o neigh show nud permanent dev "$device" | awk '{ print $1 }'); do
  case ' ${to.join(' ')} ' in *" $each "*) echo "the MAC address of $each is permanent, so a replaced device is unreachable; run ip neigh delete $each dev $device" ;; esac
done
for each in ${words(names)}; do
  timeout 20 getent ahosts "$each" > /dev/null || echo "name $each" &
done
wait`;
}

/** Hosts in the URLs that the jumphost's services use. */
function namesIn({
  services: { 'swarming-client': _, ...services },
  alertmanager,
}: Rack): string[] {
  const text = JSON.stringify([services, alertmanager]);
  const hosts = text.matchAll(/"(?:https?|ssh|mqtts?):\/\/(?:[^@/"]*@)?([a-z][\w.-]*\w)/gi);
  return [...new Set([...hosts].flatMap(([, host]) => host ?? []))];
}
