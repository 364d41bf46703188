/**
 * Checks what sshd and sudo do for each account that can sign in with a key, not only for the operator's own: the trial of a sign-in
 * requires a private key, but sshd decides about users, addresses and kinds of keys before it asks for one.
 */
import { shellWord } from '@skolo/base';
import { trialServer } from '@skolo/setup/debian';

/** For a key of this kind, `accepted` must contain one of these algorithms. RFC 8332 for RSA. */
const algorithms = `case $kind in ssh-rsa) echo 'rsa-sha2-512 rsa-sha2-256 ssh-rsa' ;; *) echo "$kind" ;; esac`;

/** Commands of skolo, or the harmless `true` for accounts that may run everything. */
const sudo = `rules=$(sudo -l -U "$user" 2>&1 | tr -s '\\n ' ' ')
  try=
  case $rules in *'NOPASSWD: '*'k3s kubectl version'*) try='k3s kubectl version -o json' ;; esac
  ! echo "$rules" | grep -qE 'NOPASSWD:( [A-Z]+:)* ALL' || try=true
  # Root's own list also requires a terminal then.
  why=$({ echo "$rules" | grep -o 'must have a tty' || [ -z "$try" ] || timeout 20 setsid -w runuser -u "$user" -- sudo -n $try 2>&1 > /dev/null < /dev/null; } | grep -oE 'a password is required|must have a tty|not allowed')
  [ -z "$why" ] || hand "sudo does not run skolo's commands for $user ($why); fix /etc/sudoers and the files in /etc/sudoers.d, where the last matching line applies (sudo -l -U $user lists the lines in order)"`;

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
  settings=$(sshd -T -C "user=$user,addr=${machine},host=${machine},laddr=${address},lport=22" 2> /dev/null)
  of() { echo "$settings" | sed -n "s/^$1 //p"; }
  ! find -L "$home" "$home/.ssh" "$file" -maxdepth 0 \\( ! -user "$user" ! -uid 0 -o -perm /022 \\) | grep -q . || hand "sshd ignores $file, because other users can write it or a directory above it; fix the owners and modes of $home, $home/.ssh and the file"
  days=$(getent shadow "$user" | cut -d : -f 8)
  [ -z "$days" ] || [ $((began / 86400)) -lt "$days" ] || hand "the account $user has expired, so its keys are rejected; run chage -E -1 $user, or delete the account"
  number=0
  while read -r line || [ -n "$line" ]; do
    number=$((number + 1)) at="line $number of $file"
    case $line in '' | '#'*) continue ;; esac
    if ! key=$(echo "$line" | ssh-keygen -l -f - 2> /dev/null); then hand "$at is not a valid key, so its owner cannot sign in; replace or delete the line"; continue; fi
    kind=$(echo "$line" | grep -oE '(^| )(ssh-|ecdsa-|sk-)[^ ]+ AAAA' | head -n 1 | awk '{ print $1 }')
    accepted=no
    for each in $(${algorithms}); do case ,$(of pubkeyacceptedalgorithms), in *,$each,*) accepted=yes ;; esac; done
    [ "$kind" != ssh-rsa ] || [ "\${key%% *}" -ge "$(of requiredrsasize)" ] || accepted=no
    [ $accepted = yes ] || hand "sshd rejects the key in $at ($kind, \${key%% *} bits, \${key##* }), because of its kind or size; fix PubkeyAcceptedAlgorithms or RequiredRSASize, or replace the key"
  done < "$file"
  [ "$(id -u "$user")" = 0 ] || { ${sudo}
  }
done << END
$accounts
END
wait
rm -f "$trial"
journalctl -q -o cat -t sshd -t sshd-session --since="@$began" | sed -n 's/^User \\([^ ]*\\) from \\([^ ]*\\) not allowed because \\(.*\\)$/by hand: sshd rejects \\1 from \\2: \\3; fix its files in \\/etc\\/ssh/p' | sort -u`;
}
