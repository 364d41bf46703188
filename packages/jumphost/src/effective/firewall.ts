/** Checks the kernel's rules: exactly those in our file, and no other table that drops the rack's packets. */

import type { Host } from '@skolo/computers';
import { z } from 'zod';

export const firewallRules = '/etc/skolo/firewall.nft';

/** libnftables-json(5). */
const Ruleset = z.object({
  nftables: z.array(
    z.looseObject({
      chain: z
        .looseObject({
          family: z.string(),
          table: z.string(),
          name: z.string(),
          hook: z.string().exactOptional(),
          policy: z.string().exactOptional(),
        })
        .exactOptional(),
      rule: z
        .looseObject({
          family: z.string(),
          table: z.string(),
          chain: z.string(),
          expr: z.array(z.looseObject({})),
        })
        .exactOptional(),
    }),
  ),
});

/** The kernel's form of the file, loaded into a separate network namespace without other rules. */
function comparison(file: string): string {
  return `wanted=$(unshare --net sh -c 'nft --file "$1" && nft --stateless list table inet skolo' sh ${file}) || exit 0
is=$(nft --stateless list table inet skolo 2>/dev/null)
first=$(printf '%s\\n' "$is" | grep -vxF "$wanted" | head -n 1 | sed 's/^[[:space:]]*//')
[ "$is" = "$wanted" ] || echo "the active firewall rules differ from ${file}: \${first:-some are missing or in a different order}"`;
}

/** @param file with our table */
export async function firewallInEffect(host: Host): Promise<string[]> {
  const said = await host.need(comparison(firewallRules));
  const { nftables } = Ruleset.parse(JSON.parse(await host.need('nft -j list ruleset')));
  const chains = nftables.flatMap(({ chain }) =>
    chain?.hook === 'input' || chain?.hook === 'prerouting' ? [chain] : [],
  );
  const rules = nftables.flatMap(({ rule }) => rule ?? []);
  // Chains that others jump to belong to Kubernetes, which drops packets in them on purpose.
  const dropping = chains.filter(({ family, table, name, policy }) => {
    if (table === 'skolo') return false;
    const own = rules.filter(
      (rule) => rule.family === family && rule.table === table && rule.chain === name,
    );
    return policy === 'drop' || own.some(({ expr }) => expr.some(drops));
  });
  return [
    said.trim(),
    ...dropping.map(
      ({ family, table, name }) =>
        `by hand: nftables chain ${family} ${table} ${name} drops packets; make it accept the rack's packets, or run nft delete table ${family} ${table}`,
    ),
  ];
}

function drops(expression: Record<string, unknown>): boolean {
  return 'drop' in expression || 'reject' in expression;
}
