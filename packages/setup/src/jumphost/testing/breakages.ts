/** Ways to break a jumphost, in the order in which they are tried. */
import { network } from '@skolo/setup/k3s/testing';

export interface Breakage {
  /** For people. */
  what: string;
  /** That finds it. */
  step: string;
  /** A script. ADDRESS and SUBNET are the jumphost's, GATEWAY is the workstation, DISTANT has Google and a sink. */
  script: string;
  /** Why `prepare` does not repair it. */
  why?: string;
  /** A script that repairs it instead, as the message says. */
  undo?: string;
}

const failedOver = '/var/lib/skolo/fallback/failed-over';
const other = 'no: somebody else wrote it';

function failOver(service: string, existing?: string): string {
  const text = JSON.stringify({
    by: 'ann',
    since: '2026-11-01T08:00:00Z',
    existing: existing && [existing],
  });
  return `mkdir -p ${failedOver} && echo '${text}' > ${failedOver}/${service}.json`;
}

function dropIn(unit: string, lines: string): string {
  return `mkdir -p /etc/systemd/system/${unit}.d && printf '${lines}' > /etc/systemd/system/${unit}.d/person.conf && systemctl daemon-reload`;
}

function removeDropIn(unit: string): string {
  return `rm /etc/systemd/system/${unit}.d/person.conf; systemctl daemon-reload`;
}

function sshd(text: string): string {
  return `printf '${text}' > /etc/ssh/sshd_config.d/00-person.conf && systemctl reload ssh`;
}

const machine = `${network}.101`;
const removeSshd = 'rm /etc/ssh/sshd_config.d/00-person.conf; systemctl reload ssh';
const fallback = 'skolo-fallback.service';
const restartK3s = 'systemctl restart k3s';

export const breakages: readonly Breakage[] = [
  {
    what: 'a service has failed over to a unit that does not exist, and port 80 is closed',
    step: 'existing-system',
    script: failOver('metadata-server', 'old-metadata.service'),
    why: 'no: it starts the unit, which does not exist',
    undo: `rm ${failedOver}/*`,
  },
  {
    what: 'skolo-fallback fails every 30 s',
    step: 'units',
    script: `${dropIn(fallback, '[Service]\\nExecStartPre=/bin/false\\n')}; systemctl start ${fallback} || true`,
    why: other,
    undo: `${removeDropIn(fallback)}; systemctl start ${fallback}`,
  },
  {
    what: 'skolo-fallback is `/bin/true` in a drop-in',
    step: 'changes',
    script: dropIn(fallback, '[Service]\\nExecStart=\\nExecStart=/bin/true\\n'),
    why: other,
    undo: removeDropIn(fallback),
  },
  {
    what: 'the program of the power-cycle daemon is damaged',
    step: 'programs',
    script: 'echo broken > /opt/skolo/services/power-cycle-daemon/dist/main.js',
  },
  {
    what: 'everybody can write /opt, and /root/.ssh belongs to somebody else',
    step: 'programs',
    script: 'chmod 777 /opt; chown nobody /root/.ssh',
  },
  {
    what: 'the address comes from DHCP',
    step: 'address',
    script: 'ip address change ADDRESS/24 dev host0 valid_lft 3600 preferred_lft 3600',
  },
  {
    what: 'a `Match Address` block allows passwords',
    step: 'ssh',
    script: sshd('Match Address SUBNET\\n  PasswordAuthentication yes\\nMatch all\\n'),
    why: other,
    undo: removeSshd,
  },
  {
    what: 'the route to a machine leads into a VPN, in a table of its own',
    step: 'network',
    script: `ip link add wg9 type bridge; ip link set wg9 up; ip route add ${machine} dev wg9 table 52; ip rule add pref 100 lookup 52`,
    why: other,
    undo: 'ip rule del pref 100; ip link del wg9',
  },
  {
    what: 'a rule that accepts everything, above ours',
    step: 'firewall',
    script: 'nft insert rule inet skolo input accept',
  },
  {
    what: 'the token of k3s has mode 0644',
    step: 'k3s',
    script: 'chmod 644 /var/lib/rancher/k3s/server/token',
  },
  {
    what: 'somebody has edited an account of skolo',
    step: 'accounts',
    script:
      'k3s kubectl patch clusterrole skolo-view --field-manager=kubectl-edit -p \'{"rules":[]}\'',
  },
  {
    what: 'a certificate of k3s expires in ten days',
    step: 'cluster',
    script:
      'openssl req -x509 -nodes -newkey ed25519 -keyout /dev/null -subj /CN=x -days 10 -out /var/lib/rancher/k3s/server/tls/client-admin.crt 2> /dev/null',
    why: 'no: a restart of k3s is for you to time',
    undo: restartK3s,
  },
  {
    what: 'the statement of the jumphost is damaged',
    step: 'active',
    script: 'echo damaged > /etc/skolo/active/statement.json',
    why: 'no: `skolo jumphost replace` signs it',
    undo: 'rm /etc/skolo/active/statement.json',
  },
  {
    what: '`Storage=volatile` of journald in a later file',
    step: 'journal',
    script:
      "printf '[Journal]\\nStorage=volatile\\n' > /etc/systemd/journald.conf.d/99-person.conf; systemctl restart systemd-journald",
    why: other,
    undo: 'rm /etc/systemd/journald.conf.d/99-person.conf; systemctl restart systemd-journald',
  },
  {
    what: 'another program listens on port 123',
    step: 'clock',
    script: `systemctl stop chrony
systemd-run --quiet --unit=of-bob /usr/bin/node -e 'require("node:dgram").createSocket("udp4").bind(123)'
until ss -H -lnu sport = :123 | grep -q .; do sleep 0.2; done
systemctl start chrony || true`,
    why: 'no: somebody started it',
    undo: 'systemctl stop of-bob; systemctl restart chrony',
  },
  {
    what: 'a line in /etc/fstab for a disk that is gone',
    step: 'boot',
    script: `cp /etc/fstab /tmp/fstab; echo 'UUID=0123-4567 /srv/usb vfat defaults 0 2' >> /etc/fstab`,
    why: other,
    undo: 'cat /tmp/fstab > /etc/fstab; systemctl daemon-reload',
  },
  {
    what: 'a disk that is 98% full',
    step: 'system',
    script:
      'mount -t tmpfs -o size=64M tmpfs /var/lib/skolo; head -c 63M /dev/zero > /var/lib/skolo/full',
    why: 'no: it does not know what you need',
    undo: 'umount /var/lib/skolo',
  },
  {
    what: 'an alias of the jumphost leads elsewhere',
    step: 'uses',
    script:
      "sed 's/^ADDRESS metadata/192.0.2.9 metadata/' /etc/hosts > /tmp/hosts && cat /tmp/hosts > /etc/hosts",
    why: 'no: the router has the names',
    undo: "sed 's/^192.0.2.9 metadata/ADDRESS metadata/' /etc/hosts > /tmp/hosts && cat /tmp/hosts > /etc/hosts",
  },
  {
    what: 'a second root account, made while apt runs',
    step: 'changes',
    script:
      'apt-get -q -y install --reinstall cron > /dev/null 2>&1 & useradd -o -u 0 -g 0 -M -s /bin/bash toor; wait',
    why: 'no: somebody may need it',
    undo: "sed -i '/^toor:/d' /etc/passwd /etc/shadow",
  },
  {
    what: 'carl was added to sudo',
    step: 'changes',
    script: 'useradd -M -s /usr/sbin/nologin carl; usermod -aG sudo carl',
    why: 'no: somebody may need it',
    undo: 'userdel carl',
  },
  {
    what: 'carl may become root without a password',
    step: 'changes',
    script: `useradd -M -s /bin/bash carl; echo 'carl ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/90-carl; chmod 440 /etc/sudoers.d/90-carl`,
    why: 'no: somebody may need it',
    undo: 'userdel carl; rm /etc/sudoers.d/90-carl',
  },
  {
    what: 'root accepts another key, in its second file',
    step: 'changes',
    script: `printf 'from="192.0.2.9" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f carl\\n' > /root/.ssh/authorized_keys2`,
    why: 'no: somebody may need it',
    undo: 'rm /root/.ssh/authorized_keys2',
  },
  {
    what: 'a crontab of root reboots every night',
    step: 'changes',
    script: `mkdir -p /var/spool/cron/crontabs; echo '0 4 * * * /sbin/reboot' > /var/spool/cron/crontabs/root`,
    why: other,
    undo: 'rm /var/spool/cron/crontabs/root',
  },
  {
    what: 'a shell that runs as root, for everybody',
    step: 'changes',
    script: 'cp /bin/bash /usr/local/bin/.b; chmod 4755 /usr/local/bin/.b',
    why: other,
    undo: 'rm /usr/local/bin/.b',
  },
  {
    what: "systemctl set-property limits the guard's memory",
    step: 'changes',
    script: 'systemctl set-property --runtime skolo-active-guard.service MemoryMax=1G',
    why: other,
    undo: 'rm -r /run/systemd/system.control/skolo-active-guard.service.d; systemctl daemon-reload',
  },
  {
    what: 'a timer of systemd-run reboots',
    step: 'changes',
    script: 'systemd-run --quiet --unit=of-bob --on-calendar=yearly /sbin/reboot',
    why: other,
    undo: 'systemctl stop of-bob.timer',
  },
  {
    what: 'a rule for addresses drops what goes to a sink',
    step: 'changes',
    script: 'ip rule add to 198.51.100.7 blackhole',
    why: other,
    undo: 'ip rule del to 198.51.100.7 blackhole',
  },
  {
    what: 'a tunnel that is gone has the routes to the internet',
    step: 'changes',
    script:
      'ip link add wg8 type bridge; ip link set wg8 up; ip route add 0.0.0.0/1 dev wg8; ip route add 128.0.0.0/1 dev wg8',
    why: other,
    undo: 'ip link del wg8',
  },
  {
    what: 'a policy of IPsec drops what goes to a sink',
    step: 'changes',
    script: 'ip xfrm policy add src 0.0.0.0/0 dst 198.51.100.0/24 dir out action block',
    why: other,
    undo: 'ip xfrm policy flush',
  },
  {
    what: 'another file system hides the state',
    step: 'changes',
    script: 'mount -t tmpfs tmpfs /var/lib/skolo',
    why: other,
    undo: 'umount /var/lib/skolo',
  },
  {
    what: 'the program of sshd is not the one of its package',
    step: 'changes',
    script:
      'cp -p /usr/sbin/sshd /root/sshd.old; cp -p /usr/sbin/sshd /root/sshd.new; printf x >> /root/sshd.new; mv /root/sshd.new /usr/sbin/sshd',
    why: other,
    undo: 'mv /root/sshd.old /usr/sbin/sshd',
  },
  {
    what: 'an alternative leads to a program that belongs to no package',
    step: 'changes',
    script:
      'cp /usr/bin/mawk /usr/local/lib/awk; cp -P /etc/alternatives/awk /root/awk; ln -sfn /usr/local/lib/awk /etc/alternatives/awk',
    why: other,
    undo: 'mv /root/awk /etc/alternatives/awk; rm /usr/local/lib/awk',
  },
  {
    what: 'the programs of the fallback come from another folder',
    step: 'changes',
    script:
      'cp -a /opt/skolo /srv/skolo; cp -P /opt/skolo/current /root/current; ln -sfn /srv/skolo /opt/skolo/current',
    why: other,
    undo: 'rm -r /srv/skolo /opt/skolo/current; mv /root/current /opt/skolo/current',
  },
  {
    what: 'units that start from now on use another proxy',
    step: 'changes',
    script: 'systemctl set-environment HTTPS_PROXY=http://192.0.2.1:3128',
    why: other,
    undo: 'systemctl unset-environment HTTPS_PROXY',
  },
  {
    what: 'all programs load another library',
    step: 'changes',
    script: 'echo /lib/x86_64-linux-gnu/libc.so.6 > /etc/ld.so.preload',
    why: other,
    undo: 'rm /etc/ld.so.preload',
  },
  {
    what: 'the state of a service belongs to root',
    step: 'units',
    script: 'chown -R root:root /var/lib/skolo/power-cycle-daemon',
  },
  {
    what: 'packets to a sink are lost',
    step: 'uses',
    script:
      "nft add table inet person; nft 'add chain inet person output { type filter hook output priority 0; }'; nft add rule inet person output tcp dport 9093 drop",
    why: 'no: it does not know why',
    undo: 'nft delete table inet person',
  },
  {
    what: 'updates have not been installed for three weeks, and a reboot is overdue',
    step: 'updates',
    script:
      "touch -d '-21 days' /var/lib/apt/periodic/upgrade-stamp; touch -d '-31 days' /run/reboot-required",
    why: 'no: it does not know why',
    undo: 'rm -f /var/lib/apt/periodic/upgrade-stamp /run/reboot-required',
  },
  {
    what: 'the guard is suspended, so that it seems to run',
    step: 'units',
    script: 'systemctl kill --signal=STOP skolo-active-guard.service',
    why: 'no: somebody may be debugging it',
    undo: 'systemctl kill --signal=CONT skolo-active-guard.service',
  },
  {
    what: 'another table drops port 80',
    step: 'changes',
    script:
      "nft add table inet person; nft 'add chain inet person input { type filter hook input priority 10; }'; nft add rule inet person input tcp dport 80 drop",
    why: 'no: it is not a table of skolo',
    undo: 'nft delete table inet person',
  },
  {
    what: 'Docker has set the policy of forwarding to drop',
    step: 'changes',
    script:
      "nft add table ip filter; nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'",
    why: 'no: it is not a table of skolo',
    undo: 'nft delete table ip filter',
  },
  {
    what: 'a module of PAM is missing',
    step: 'ssh',
    script: "sed -i '1i account required pam_gone.so' /etc/pam.d/sshd",
    why: other,
    undo: 'sed -i 1d /etc/pam.d/sshd',
  },
  {
    what: 'the host key is empty',
    step: 'ssh',
    script:
      'for each in /etc/ssh/ssh_host_*_key; do cp -p "$each" "/root/$(basename "$each")"; : > "$each"; done',
    why: other,
    undo: 'for each in /etc/ssh/ssh_host_*_key; do cat "/root/$(basename "$each")" > "$each"; rm "/root/$(basename "$each")"; done',
  },
  {
    what: '/opt/skolo is mounted without the right to execute',
    step: 'programs',
    script: 'mount --bind /opt/skolo /opt/skolo; mount -o remount,bind,noexec /opt/skolo',
    why: other,
    undo: 'umount /opt/skolo',
  },
  {
    what: '/dev/shm is read-only',
    step: 'system',
    script: 'mount -o remount,ro /dev/shm',
    why: other,
    undo: 'mount -o remount,rw /dev/shm',
  },
  {
    what: 'k3s is suspended, and its port still accepts connections',
    step: 'k3s',
    script: 'systemctl kill --signal=STOP k3s.service',
    why: 'no: somebody may be debugging it',
    undo: 'systemctl kill --signal=CONT k3s.service',
  },
  {
    what: 'a unit of a package is suspended',
    step: 'services',
    script: 'systemctl kill --signal=STOP unattended-upgrades.service',
    why: 'no: somebody may be debugging it',
    undo: 'systemctl kill --signal=CONT unattended-upgrades.service',
  },
  {
    what: 'a timer of a package was stopped',
    step: 'services',
    script: 'systemctl stop systemd-tmpfiles-clean.timer',
    why: 'no: somebody may have a reason',
    undo: 'systemctl start systemd-tmpfiles-clean.timer',
  },
  {
    what: 'chronyd gives the time to nobody, although its files permit it',
    step: 'clock',
    script: 'chronyc deny all > /dev/null',
    why: 'no: somebody wanted it',
    undo: 'systemctl restart chrony',
  },
  {
    what: '/dev/null is a file',
    step: 'system',
    script: 'rm /dev/null; install -m 600 /etc/hostname /dev/null',
    why: 'no: a boot creates it',
    undo: 'rm /dev/null; mknod -m 666 /dev/null c 1 3',
  },
  {
    what: 'programs do not become root any more',
    step: 'changes',
    script: 'mount -o remount,bind,nosuid /',
    why: other,
    undo: 'mount -o remount,bind,suid /',
  },
  {
    what: 'root trusts one more CA',
    step: 'changes',
    script:
      'cp -p /etc/ssl/certs/ca-certificates.crt /tmp/authorities; openssl req -x509 -newkey ed25519 -nodes -keyout /dev/null -subj /CN=person 2> /dev/null >> /etc/ssl/certs/ca-certificates.crt',
    why: other,
    undo: 'mv /tmp/authorities /etc/ssl/certs/ca-certificates.crt',
  },
  {
    what: 'a library of PAM is not the one of its package',
    step: 'changes',
    script:
      'cd /usr/lib/*-linux-gnu*/; file=$(readlink -f libpam.so.0); cp -p "$file" /tmp/library; cp -p "$file" new; echo x >> new; mv new "$file"',
    why: other,
    undo: 'cd /usr/lib/*-linux-gnu*/; mv /tmp/library "$(readlink -f libpam.so.0)"',
  },
  {
    what: 'a program that nobody started with systemd gives root away',
    step: 'changes',
    script: `systemd-run --quiet --scope /opt/test/node -e "require('node:net').createServer().listen(4444)" > /dev/null 2>&1 < /dev/null &
until ss -Hltn 'sport = :4444' | grep -q .; do sleep 0.2; done`,
    why: 'no: somebody started it',
    undo: "kill $(ss -Hlntp 'sport = :4444' | sed 's/.*pid=//; s/,.*//')",
  },
  {
    what: 'the kernel answers no pings',
    step: 'changes',
    script: 'echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all',
    why: 'no: somebody wanted it',
    undo: 'echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_all',
  },
  {
    what: 'sshd gets no more updates',
    step: 'changes',
    script: 'apt-mark hold openssh-server > /dev/null',
    why: 'no: somebody wanted it',
    undo: 'apt-mark unhold openssh-server > /dev/null',
  },
  {
    what: 'the watchdog hangs, and nothing has suspended it',
    step: 'units',
    script: `mkdir -p /run/systemd/system/skolo-watchdog.service.d
printf '[Service]\\nWatchdogSec=6\\n' > /run/systemd/system/skolo-watchdog.service.d/person.conf
rm -f /.skolo-writable; mkfifo /.skolo-writable
systemctl daemon-reload
# Otherwise, systemd kills it a second later.
systemctl service-watchdogs no
systemctl restart skolo-watchdog
since=$(systemctl show --value --property=WatchdogTimestampMonotonic skolo-watchdog)
until [ $(($(cut -d . -f 1 /proc/uptime) - since / 1000000)) -gt 6 ]; do sleep 0.2; done`,
    why: 'no: it does not know why',
    undo: 'systemctl service-watchdogs yes; rm -r /.skolo-writable /run/systemd/system/skolo-watchdog.service.d; systemctl daemon-reload; systemctl restart skolo-watchdog',
  },
  {
    what: 'packets do not get farther than the router',
    step: 'uses',
    script: 'echo 1 > /proc/sys/net/ipv4/ip_default_ttl',
    why: 'no: it does not know why',
    undo: 'echo 64 > /proc/sys/net/ipv4/ip_default_ttl',
  },
  {
    what: 'the name server says that Google is somewhere else',
    step: 'uses',
    script:
      "sed 's/^[0-9.]* pubsub.googleapis.com/ADDRESS pubsub.googleapis.com/' /etc/hosts > /tmp/hosts && cat /tmp/hosts > /etc/hosts",
    why: 'no: the router has the names',
    undo: "sed 's/^[0-9.]* pubsub.googleapis.com/DISTANT pubsub.googleapis.com/' /etc/hosts > /tmp/hosts && cat /tmp/hosts > /etc/hosts",
  },
  {
    what: 'what the cluster permits has changed',
    step: 'changes',
    script:
      'k3s kubectl create clusterrolebinding everybody --clusterrole=view --group=system:authenticated',
    why: other,
    undo: 'k3s kubectl delete clusterrolebinding everybody',
  },
];
