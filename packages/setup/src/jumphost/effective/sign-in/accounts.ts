/**
 * Checks what sshd does for each account that can sign in with a key, not only for the operator's own: the trial of a sign-in requires a
 * private key, but sshd decides about users and addresses before it asks for one. Their keys and rights are facts (facts.ts).
 */
import { shellWord } from '@skolo/base';
import { trialServer } from '@skolo/setup/debian';

/**
 * A script.
 *
 * @param address of the jumphost
 * @param machine an address in the rack; yours is the other one
 */
export function accountsInEffect(address: string, machine: string): string {
  const quiet = `-F none -o PreferredAuthentications=none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=20 -o LogLevel=QUIET`;
  return `hand() { echo "by hand: $*"; }
began=$(date +%s) trial=$(mktemp)
printf %s ${shellWord(trialServer('$CONNECTION'))} > "$trial"
# sudo removes the variable, but keeps it in its own environment.
yours=\${SSH_CONNECTION:-$(tr '\\0' '\\n' < "/proc/$PPID/environ" 2> /dev/null | sed -n 's/^SSH_CONNECTION=//p')}
accounts=$(getent passwd | awk -F: '$7 !~ /(nologin|false|sync)$/ { print $1, $6 }' | while read -r user home; do [ ! -s "$home/.ssh/authorized_keys" ] || echo "$user $home"; done | head -n 20)
while read -r user home; do
  [ -n "$user" ] || continue
  file=$home/.ssh/authorized_keys
  for from in \${yours%% *} ${shellWord(machine)}; do
    CONNECTION="$from 40000 ${address} 22" timeout 60 ssh ${quiet} -o ProxyCommand="sh $trial" "$user@${address}" true < /dev/null > /dev/null 2>&1 &
  done
  ! find -L "$home" "$home/.ssh" "$file" -maxdepth 0 \\( ! -user "$user" ! -uid 0 -o -perm /022 \\) | grep -q . || hand "sshd ignores $file, because other users can write it or a directory above it; fix the owners and modes of $home, $home/.ssh and the file"
  days=$(getent shadow "$user" | cut -d : -f 8)
  [ -z "$days" ] || [ $((began / 86400)) -lt "$days" ] || hand "the account $user has expired, so its keys are rejected; run chage -E -1 $user, or delete the account"
done << END
$accounts
END
wait
rm -f "$trial"
journalctl -q -o cat -t sshd -t sshd-session --since="@$began" | sed -n 's/^User \\([^ ]*\\) from \\([^ ]*\\) not allowed because \\(.*\\)$/by hand: sshd rejects \\1 from \\2: \\3; fix its files in \\/etc\\/ssh/p' | sort -u`;
}
