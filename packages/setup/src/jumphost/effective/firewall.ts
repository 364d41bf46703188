/** Checks that the kernel's rules of skolo's table match its file. Those of others are facts, which the step `changes` compares. */

export const firewallRules = '/etc/skolo/firewall.nft';

/** A script. The kernel's form of the file is loaded into a separate network namespace without other rules. */
export const firewallInEffect = `wanted=$(unshare --net sh -c 'nft --file "$1" && nft --stateless list table inet skolo' sh ${firewallRules}) || exit 0
is=$(nft --stateless list table inet skolo 2>/dev/null)
first=$(printf '%s\\n' "$is" | grep -vxF "$wanted" | head -n 1 | sed 's/^[[:space:]]*//')
[ "$is" = "$wanted" ] || echo "the active firewall rules differ from ${firewallRules}: \${first:-some are missing or in a different order}"`;
