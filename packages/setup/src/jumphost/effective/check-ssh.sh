#!/bin/sh
# ADDRESS OURS: prints what is wrong with sshd's keys and settings, and with sign-ins at the jumphost's address. OURS is the file with our settings.
# A sign-in without any method makes sshd list those that it offers (RFC 4252, section 5.2). The function `unit_at` is in front of it.
address=$1 ours=$2
for each in /etc/ssh/ssh_host_*_key; do
  [ -s "$each" ] || echo "by hand: the host key $each is empty, so sshd does not start; restore it, or delete it and run ssh-keygen -A, which makes a new one"
done
visudo -c > /dev/null 2>&1 || echo "by hand: sudo rejects its settings ($(visudo -c 2>&1 | grep -v 'parsed OK' | head -n 1)); fix them (visudo -c)"
mkdir -p /run/sshd
sshd -t 2>/dev/null || echo "by hand: the sshd configuration is invalid ($(sshd -t 2>&1 | tr -d '\r' | head -n 1)); fix it"
ss -H -lntp | sed -n 's/.*:\([0-9]*\) .*"sshd".*/\1/p' | sort -u | while read -r port; do
  methods=$(ssh -F none -o PreferredAuthentications=none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=10 -o LogLevel=ERROR -p "$port" "root@$address" true 2>&1 < /dev/null | tr -d '\r' | sed -n 's/.*Permission denied (\(.*\))\./\1/p')
  case $methods in '' | publickey) continue ;; esac
  if [ "$(unit_at --tcp "$port" ssh.service)" != ssh.service ]; then echo "by hand: a second sshd, on port $port, offers $methods; stop it (ss -lntp lists its process)"
  elif sshd -T -C "user=root,addr=$address,host=$address,laddr=$address,lport=$port" 2>/dev/null | grep -qE '^(password|kbdinteractive)authentication yes'; then
    echo "by hand: sshd offers $methods to $address; fix $(grep -ilsE '^[[:space:]]*(password|kbdinteractive|challengeresponse).*yes' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/* | grep -v "$ours" | paste -sd ' ' -), and run systemctl reload ssh"
  else echo "sshd on port $port offers $methods, unlike its configuration, so it has not loaded the configuration yet"; fi
done
