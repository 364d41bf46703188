/** Checks what sshd offers, by querying its port and its settings for each user and for addresses inside and outside the rack. */
import { shellWord } from '@skolo/base';
import { outside } from '../address/rack-addresses.ts';

/** With other values, somebody else decides who signs in. */
const ofKeys = {
  authorizedkeyscommand: 'none',
  authorizedkeysfile: '.ssh/authorized_keys .ssh/authorized_keys2',
  authorizedprincipalscommand: 'none',
  trustedusercakeys: 'none',
};

const keysAndSudo = `for each in /etc/ssh/ssh_host_*_key; do
  [ -s "$each" ] || echo "by hand: the host key $each is empty, so sshd does not start; restore it, or delete it and run ssh-keygen -A, which makes a new one"
done
visudo -c > /dev/null 2>&1 || echo "by hand: sudo rejects its settings ($(visudo -c 2>&1 | grep -v 'parsed OK' | head -n 1)); fix them (visudo -c)"`;

/**
 * A script. `sshd -T -C` applies `Match` blocks, and a sign-in without any method makes sshd list those that it offers
 * (RFC 4252, section 5.2).
 *
 * @param address of the jumphost
 * @param ours the file with our settings
 * @param settings as `sshd -T` prints them
 */
export function sshInEffect(
  address: string,
  ours: string,
  settings: Readonly<Record<string, string>>,
): string {
  const wanted = { ...settings, ...ofKeys };
  const keys = Object.keys(wanted).join('\\|');
  return `${keysAndSudo}
mkdir -p /run/sshd
sshd -t 2>/dev/null || echo "by hand: the sshd configuration is invalid ($(sshd -t 2>&1 | head -n 1)); fix it"
files=$(for user in $(awk -F: '$7 !~ /(nologin|false|sync)$/ { print $1 }' /etc/passwd | head -n 20); do
  for from in ${shellWord(address)} ${outside.ip} 127.0.0.1; do
    sshd -T -C "user=$user,addr=$from,host=$from,laddr=${address},lport=22" 2>/dev/null | grep '^\\(${keys}\\) ' | sed "s/without-password/prohibit-password/; s/^/$user $from /"
  done
done | while read -r user from key value; do
  case "$key $value" in
${Object.entries(wanted)
  .map(([key, value]) => `    '${key} ${value}') ;;`)
  .join('\n')}
    *) echo "$key by hand: sshd uses $key $value for $user from $from; fix it ($(grep -ils "^[[:space:]]*$key" /etc/ssh/sshd_config /etc/ssh/sshd_config.d/* | grep -v ${shellWord(ours)} | paste -sd ' ' -)) and run systemctl reload ssh" ;;
  esac
done | sort -u -k 1,1 | cut -d ' ' -f 2-)
printf '%s\\n' "$files"
ss -H -lntp | sed -n 's/.*:\\([0-9]*\\) .*"sshd".*/\\1/p' | sort -u | while read -r port; do
  methods=$(ssh -F none -o PreferredAuthentications=none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=10 -o LogLevel=ERROR -p "$port" root@${shellWord(address)} true 2>&1 < /dev/null | tr -d '\\r' | sed -n 's/.*Permission denied (\\(.*\\))\\./\\1/p')
  case $methods in
    '' | publickey) ;;
    *)
      case $(unit_at --tcp "$port" | sort -u) in
        ssh.service) [ -n "$files" ] || echo "sshd on port $port offers $methods, unlike its configuration, so it has not loaded the configuration yet" ;;
        *) echo "by hand: a second sshd, on port $port, offers $methods; stop it (ss -lntp lists its process)" ;;
      esac ;;
  esac
done`;
}
