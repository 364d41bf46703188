/** Checks the kernel's rules: our table matches its file, and no other rule drops or redirects packets that the rack needs. */

import type { Rack } from '@skolo/rack';
import { type Host, linesOf } from '@skolo/setup/engine';
import { type Packet, packetsOf } from './packets.ts';
import { faultsIn } from './ruleset.ts';

export const firewallRules = '/etc/skolo/firewall.nft';

/** The kernel's form of the file, loaded into a separate network namespace without other rules. */
function comparison(file: string): string {
  return `wanted=$(unshare --net sh -c 'nft --file "$1" && nft --stateless list table inet skolo' sh ${file}) || exit 0
is=$(nft --stateless list table inet skolo 2>/dev/null)
first=$(printf '%s\\n' "$is" | grep -vxF "$wanted" | head -n 1 | sed 's/^[[:space:]]*//')
[ "$is" = "$wanted" ] || echo "the active firewall rules differ from ${file}: \${first:-some are missing or in a different order}"`;
}

/**
 * Rules of the old iptables, which nft does not list: iptables-nft translates them in a separate network namespace. k3s contains both
 * programs.
 */
const legacyRules = `PATH=$PATH:/var/lib/rancher/k3s/data/current/bin/aux
for each in ip ip6; do
  [ -s /proc/net/\${each}_tables_names ] || continue
  \${each}tables-legacy-save | sed -E '/(KUBE|CNI)-/d' | unshare --net sh -c "\${each}tables-nft-restore && nft -j list ruleset" ||
    echo "by hand: cannot read the rules of \${each}tables-legacy; check that they accept the rack's packets (\${each}tables-legacy-save)"
done`;

/**
 * The verdicts of other rules are computed instead of tried with packets in a copy of the network: a copy has neither the pods nor the
 * sets and connections that Kubernetes' rules refer to, and its result would not name the rule.
 */
export async function firewallInEffect(host: Host, rack: Rack): Promise<string[]> {
  const said = await host.need(comparison(firewallRules));
  const device = await host.need(
    `ip -o address show to ${rack.jumphost.address} | awk 'NR == 1 { printf "%s", $2 }'`,
  );
  const packets = packetsOf(rack, device);
  const legacy = linesOf(await host.need(legacyRules));
  return [
    said.trim(),
    ...faultLines(await host.need('nft -j list ruleset'), packets, 'nft -a list chain'),
    ...legacy.flatMap((each) =>
      each.startsWith('{') ? faultLines(each, packets, 'iptables-legacy-save:') : each,
    ),
  ];
}

function faultLines(ruleset: string, packets: readonly Packet[], list: string): string[] {
  return faultsIn(JSON.parse(ruleset), packets).map(
    ({ chain, effect, by, packet }) =>
      `by hand: the firewall chain ${chain} ${effect} ${packet.text} (${by}); make it accept the rack's packets, or delete it (${list} ${chain})`,
  );
}
