/** Ways to break a jumphost, in the order in which they are tried. */
import { network } from '@skolo/setup/k3s/testing';

export interface Breakage {
  /** For people. */
  what: string;
  /** That finds it. */
  step: string;
  /** A script. ADDRESS and SUBNET are the jumphost's. */
  script: string;
  /** Why `prepare` does not repair it. */
  why?: string;
  /** A script that repairs it instead, as the message says. */
  undo?: string;
  /** `npm test` tries it, too. */
  isSample?: true;
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

function unit(name: string, start: string): string {
  return `printf '[Service]\\nExecStart=${start}\\n' > /etc/systemd/system/${name} && systemctl daemon-reload && systemctl start ${name} || true`;
}

function removeUnit(name: string): string {
  return `systemctl stop ${name}; rm -f /etc/systemd/system/${name}; systemctl daemon-reload; systemctl reset-failed ${name} 2>/dev/null || true`;
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

const sshdFile = '/etc/ssh/sshd_config.d/00-person.conf';
const machine = `${network}.101`;
const removeSshd = 'rm /etc/ssh/sshd_config.d/00-person.conf; systemctl reload ssh';
const fallback = 'skolo-fallback.service';
const k3sConfig = '/etc/rancher/k3s/config.yaml';
const manifests = '/var/lib/rancher/k3s/server/manifests';
const removeOverride = `rm -r ${k3sConfig}.d`;
const restartK3s = 'systemctl restart k3s';

export const breakages: readonly Breakage[] = [
  {
    what: 'a service has failed over to a unit that does not exist, and port 80 is closed',
    step: 'existing-system',
    script: failOver('metadata-server', 'old-metadata.service'),
    why: 'no: it starts the unit, which does not exist',
    undo: `rm ${failedOver}/*`,
    isSample: true,
  },
  {
    what: 'a service has failed over to a unit that has failed',
    step: 'existing-system',
    script: `${unit('old-power.service', '/bin/false')}; ${failOver('power-cycle-daemon', 'old-power.service')}`,
    why: 'no: it starts the unit, which keeps failing',
    undo: `rm ${failedOver}/*; ${removeUnit('old-power.service')}`,
  },
  {
    what: 'a service has failed over to a unit that runs, and port 80 is closed',
    step: 'existing-system',
    script: `${unit('old-metadata.service', '/bin/sleep infinity')}; ${failOver('metadata-server', 'old-metadata.service')}`,
    why: 'no: it starts the unit, which does not serve',
    undo: `rm ${failedOver}/*; ${removeUnit('old-metadata.service')}`,
  },
  {
    what: 'a service has failed over to the unit of skolo, which does not run',
    step: 'existing-system',
    script: failOver('metadata-server'),
    why: 'no: skolo-fallback starts it within 30 s, and it keeps failing',
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
    isSample: true,
  },
  {
    what: 'the timer of skolo-fallback is stopped',
    step: 'units',
    script: 'systemctl stop skolo-fallback.timer',
  },
  {
    what: 'the unit of the power-cycle daemon is masked',
    step: 'units',
    script:
      'ln -sf /dev/null /etc/systemd/system/skolo-power-cycle-daemon.service; systemctl daemon-reload',
  },
  {
    what: 'everybody can write the journal of the power-cycle daemon',
    step: 'units',
    script: 'chmod 777 /var/lib/skolo/power-cycle-daemon',
  },
  {
    what: 'the program of the power-cycle daemon is damaged',
    step: 'programs',
    script: 'echo broken > /opt/skolo/services/power-cycle-daemon/dist/main.js',
  },
  {
    what: '`inet dhcp` in /etc/network/interfaces',
    step: 'address',
    script:
      "sed -i 's/^iface host0 inet static/iface host0 inet dhcp/; /address/d; /gateway/d' /etc/network/interfaces",
  },
  {
    what: 'no `auto` in /etc/network/interfaces',
    step: 'address',
    script: "sed -i 's/^auto lo host0/auto lo/' /etc/network/interfaces",
    why: 'no: it may start in another way',
    undo: "sed -i 's/^auto lo/auto lo host0/' /etc/network/interfaces",
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
    isSample: true,
  },
  {
    what: 'a `Match User` block allows passwords',
    step: 'ssh',
    script: `useradd --shell /bin/sh bob; ${sshd('Match User bob\\n  PasswordAuthentication yes\\nMatch all\\n')}`,
    why: other,
    undo: `${removeSshd}; userdel bob`,
  },
  {
    what: 'sshd still offers passwords, and its files no longer do',
    step: 'ssh',
    script: `${sshd('PasswordAuthentication yes\\n')}
until ssh -F none -o PreferredAuthentications=none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@ADDRESS 2>&1 < /dev/null | grep -q password; do sleep 0.2; done
rm /etc/ssh/sshd_config.d/00-person.conf`,
  },
  {
    what: 'a second sshd offers passwords on port 2222',
    step: 'ssh',
    script:
      'systemd-run --quiet --unit=of-bob /usr/sbin/sshd -D -p 2222 -o PasswordAuthentication=yes; until ss -H -lnt sport = :2222 | grep -q .; do sleep 0.2; done',
    why: 'no: somebody started it',
    undo: 'systemctl stop of-bob',
  },
  {
    what: 'an earlier file lets root sign in with a password',
    step: 'ssh',
    script: sshd('PermitRootLogin yes\\n'),
    why: other,
    undo: removeSshd,
  },
  {
    what: 'from the rack, sshd accepts no keys',
    step: 'ssh',
    script: `printf 'Match Address ${machine}\\n  PubkeyAuthentication no\\n' > ${sshdFile}`,
    why: other,
    undo: `rm ${sshdFile}`,
  },
  {
    what: 'after its next start, sshd runs another command for sessions from the workstation',
    step: 'ssh',
    script: `printf 'Match Address SUBNET\\n  ForceCommand /bin/false\\n' > ${sshdFile}`,
    why: other,
    undo: `rm ${sshdFile}`,
  },
  {
    what: 'PAM rejects the account from everywhere',
    step: 'ssh',
    script:
      "sed -i '1i account required pam_access.so' /etc/pam.d/sshd; echo '-:ALL:ALL' >> /etc/security/access.conf",
    why: other,
    undo: "sed -i 1d /etc/pam.d/sshd; sed -i '/^-:ALL:ALL/d' /etc/security/access.conf",
  },
  {
    what: 'hosts.deny rejects everybody',
    step: 'ssh',
    script: "echo 'ALL: ALL' >> /etc/hosts.deny",
    why: other,
    undo: "sed -i '/^ALL: ALL/d' /etc/hosts.deny",
  },
  {
    what: 'sshd trusts the certificates of somebody else',
    step: 'ssh',
    script: `cp /etc/ssh/ssh_host_ed25519_key.pub /etc/ssh/ca.pub; echo 'TrustedUserCAKeys /etc/ssh/ca.pub' > ${sshdFile}`,
    why: other,
    undo: `rm ${sshdFile} /etc/ssh/ca.pub`,
  },
  {
    what: 'nologin was left behind by maintenance',
    step: 'ssh',
    script: 'touch /etc/nologin',
    why: 'no: somebody may be working on it',
    undo: 'rm /etc/nologin',
  },
  {
    what: 'everybody can write a file of sudoers, so sudo rejects it',
    step: 'ssh',
    script: 'echo > /etc/sudoers.d/person; chmod 666 /etc/sudoers.d/person',
    why: other,
    undo: 'rm /etc/sudoers.d/person',
  },
  {
    what: 'everybody can write /opt, and /root/.ssh belongs to somebody else',
    step: 'programs',
    script: 'chmod 777 /opt; chown nobody /root/.ssh',
  },
  {
    what: 'everybody can write the folder of staged changes, which root runs at the next boot',
    step: 'programs',
    script: 'mkdir -p /var/lib/skolo-steps; chmod 777 /var/lib/skolo-steps',
  },
  {
    what: 'Node is behind a link into a folder that everybody can write',
    step: 'programs',
    script: `mkdir -m 777 /srv/node; cp -L /usr/bin/node /srv/node/
mv /usr/bin/node /usr/bin/node.person; ln -s /srv/node/node /usr/bin/node`,
    undo: 'mv /usr/bin/node.person /usr/bin/node; rm -r /srv/node',
    why: 'no: somebody else put it there',
  },
  {
    what: 'only root can enter /var/lib',
    step: 'programs',
    script: 'chmod 700 /var/lib',
  },
  {
    what: 'the route to a machine leads into a VPN, in a table of its own',
    step: 'network',
    script: `ip link add wg9 type bridge; ip link set wg9 up; ip route add ${machine} dev wg9 table 52; ip rule add pref 100 lookup 52`,
    why: other,
    undo: 'ip rule del pref 100; ip link del wg9',
    isSample: true,
  },
  {
    what: 'the default route is gone',
    step: 'network',
    script:
      'ip route show default | grep -v skolo-last > /run/default; ip route del $(cat /run/default)',
    why: 'no: it belongs to the network settings',
    undo: 'ip route add $(cat /run/default)',
  },
  {
    what: 'the interface has a small MTU',
    step: 'network',
    script: 'ip link set host0 mtu 1280',
    why: 'no: it belongs to the network settings',
    undo: 'ip link set host0 mtu 1500',
  },
  {
    what: 'forwarding is off',
    step: 'k3s',
    script: 'echo 0 > /proc/sys/net/ipv4/conf/all/forwarding',
  },
  {
    what: 'sshd does not start at boot',
    step: 'ssh',
    script: 'systemctl disable --quiet ssh.service',
  },
  {
    what: 'a rule that accepts everything, above ours',
    step: 'firewall',
    script: 'nft insert rule inet skolo input accept',
    isSample: true,
  },
  {
    what: 'the table of skolo is deleted, and its unit is active',
    step: 'firewall',
    script: 'nft delete table inet skolo',
  },
  {
    what: 'a second root account, made while apt runs',
    step: 'changes',
    script:
      'apt-get -q -y install --reinstall cron > /dev/null 2>&1 & useradd -o -u 0 -g 0 -M -s /bin/bash toor; wait',
    why: 'no: somebody may need it',
    undo: "sed -i '/^toor:/d' /etc/passwd /etc/shadow",
    isSample: true,
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
    isSample: true,
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
    isSample: true,
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
    isSample: true,
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
    what: '`secrets-encryption: false` in config.yaml, and k3s has restarted',
    step: 'k3s-config',
    script: `sed -i 's/secrets-encryption: true/secrets-encryption: false/' ${k3sConfig}; ${restartK3s}`,
  },
  {
    what: 'encryption of secrets is turned off in the running k3s',
    step: 'k3s',
    script: "echo 'Encryption Status: Disabled' > /run/k3s-test-encryption",
    why: 'no: k3s must encrypt each secret again',
    undo: "echo 'Encryption Status: Enabled' > /run/k3s-test-encryption",
  },
  {
    what: 'a file in config.yaml.d overrides the names in the certificate',
    step: 'label',
    script: `mkdir ${k3sConfig}.d; echo 'tls-san: [other]' > ${k3sConfig}.d/person.yaml`,
    why: other,
    undo: removeOverride,
  },
  {
    what: 'config.yaml.d opens the kubeconfig and moves the network of pods',
    step: 'label',
    script: `mkdir ${k3sConfig}.d; printf 'write-kubeconfig-mode: "0644"\\ncluster-cidr: 10.99.0.0/16\\n' > ${k3sConfig}.d/person.yaml`,
    why: other,
    undo: removeOverride,
    isSample: true,
  },
  {
    what: 'k3s runs with settings of a file that is gone from config.yaml.d',
    step: 'label',
    script: `mkdir ${k3sConfig}.d; echo 'tls-san: [other]' > ${k3sConfig}.d/person.yaml; ${restartK3s}; ${removeOverride}`,
    why: 'no: a restart of k3s is for you to time',
    undo: restartK3s,
  },
  {
    what: 'the route of last resort is gone',
    step: 'k3s',
    script: 'ip link delete skolo-last',
  },
  {
    what: 'pods communicate over another network',
    step: 'k3s',
    script:
      'ip link add other type bridge; ip link add flannel.1 type vxlan id 1 dev other dstport 8472',
  },
  {
    what: 'the token of k3s has mode 0644',
    step: 'k3s',
    script: 'chmod 644 /var/lib/rancher/k3s/server/token',
    isSample: true,
  },
  {
    what: 'the kubeconfig of the administrator has mode 0644',
    step: 'k3s',
    script: 'chmod 644 /etc/rancher/k3s/k3s.yaml',
  },
  {
    what: 'k3s is stopped and disabled',
    step: 'k3s',
    script: 'systemctl disable --now --quiet k3s.service',
  },
  {
    what: 'another node has the label of the jumphost',
    step: 'label',
    script:
      'k3s kubectl create -f - <<END\n{"apiVersion":"v1","kind":"Node","metadata":{"name":"rpi-1","labels":{"node-restriction.kubernetes.io/skolo-jumphost":"true"}}}\nEND',
    why: 'no: somebody set it',
    undo: 'k3s kubectl delete node rpi-1',
  },
  {
    what: 'somebody has edited an account of skolo',
    step: 'accounts',
    script:
      'k3s kubectl patch clusterrole skolo-view --field-manager=kubectl-edit -p \'{"rules":[]}\'',
    isSample: true,
  },
  {
    what: 'a manifest of others in the folder of k3s, and one that turns CoreDNS off',
    step: 'cluster',
    script: `mkdir -p ${manifests}; touch -d '2026-11-01 08:00' ${manifests}/zz.yaml ${manifests}/coredns.yaml.skip`,
    why: other,
    undo: `rm ${manifests}/zz.yaml ${manifests}/coredns.yaml.skip`,
    isSample: true,
  },
  {
    what: 'images come from a registry without a certificate',
    step: 'cluster',
    script:
      'printf \'mirrors:\\n  "*":\\n    endpoint: [http://ADDRESS:5000]\\n\' > /etc/rancher/k3s/registries.yaml',
    why: other,
    undo: 'rm /etc/rancher/k3s/registries.yaml',
    isSample: true,
  },
  {
    what: 'a certificate of k3s expires in ten days',
    step: 'cluster',
    script:
      'openssl req -x509 -nodes -newkey ed25519 -keyout /dev/null -subj /CN=x -days 10 -out /var/lib/rancher/k3s/server/tls/client-admin.crt 2> /dev/null',
    why: 'no: a restart of k3s is for you to time',
    undo: restartK3s,
    isSample: true,
  },
  {
    what: 'the statement of the jumphost is damaged',
    step: 'active',
    script: 'echo damaged > /etc/skolo/active/statement.json',
    why: 'no: `skolo jumphost replace` signs it',
    undo: 'rm /etc/skolo/active/statement.json',
    isSample: true,
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
    what: '`deny all` of chrony in a later file',
    step: 'clock',
    script: 'echo deny all > /etc/chrony/conf.d/99-person.conf; systemctl restart chrony',
    why: other,
    undo: 'rm /etc/chrony/conf.d/99-person.conf; systemctl restart chrony',
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
    what: 'another program listens on port 80',
    step: 'existing-system',
    // As one that somebody has started in a session: it belongs to no service.
    script: `setsid /usr/bin/node -e 'require("node:net").createServer().listen(80)' > /dev/null 2>&1 < /dev/null &
echo $! > /tmp/of-bob
for each in $(find /sys/fs/cgroup -path '*/init.scope/cgroup.procs'); do echo $! > "$each"; done
until ss -H -lnt sport = :80 | grep -q .; do sleep 0.2; done`,
    why: 'no: somebody started it',
    undo: 'kill "$(cat /tmp/of-bob)"; while ss -H -lnt sport = :80 | grep -q .; do sleep 0.2; done',
  },
  {
    what: 'another host name',
    step: 'name',
    script: 'hostname other; echo other > /etc/hostname',
  },
  {
    what: 'a drop-in for all services, until the next boot',
    step: 'changes',
    script:
      "mkdir /run/systemd/system/service.d; printf '[Service]\\nPrivateNetwork=yes\\n' > /run/systemd/system/service.d/hard.conf; systemctl daemon-reload",
    why: other,
    undo: 'rm -r /run/systemd/system/service.d; systemctl daemon-reload',
  },
  {
    what: 'a preset of another product has disabled units',
    step: 'changes',
    script:
      'rm /etc/systemd/system/multi-user.target.wants/chrony.service; ln -sfn /lib/systemd/system/gone.service /etc/systemd/system/multi-user.target.wants/ssh.service',
  },
  {
    what: 'everybody can write the configuration of sudo, and its owner is somebody else',
    step: 'changes',
    script: 'chmod 666 /etc/sudoers; chown nobody /etc/sudoers.d',
  },
  {
    what: 'a module that k3s requires is not loaded at the next boot',
    step: 'changes',
    script: "echo 'install vxlan /bin/false' > /etc/modprobe.d/person.conf",
    why: other,
    undo: 'rm /etc/modprobe.d/person.conf',
  },
  {
    what: 'a program that runs has the settings of an earlier drop-in',
    step: 'units',
    script: `${dropIn('skolo-active-guard.service', '[Service]\\nExecStart=\\nExecStart=/bin/sleep infinity\\n')}; systemctl restart skolo-active-guard; ${removeDropIn('skolo-active-guard.service')}`,
    why: 'no: a restart is for you to time',
    undo: 'systemctl restart skolo-active-guard',
  },
  {
    what: 'sshd does not start at the next boot, because of a file',
    step: 'ssh',
    script: 'touch /etc/ssh/sshd_not_to_be_run',
    why: other,
    undo: 'rm /etc/ssh/sshd_not_to_be_run',
  },
  {
    what: 'a line in /etc/fstab for a disk that is gone',
    step: 'boot',
    script: `cp /etc/fstab /tmp/fstab; echo 'UUID=0123-4567 /srv/usb vfat defaults 0 2' >> /etc/fstab`,
    why: other,
    undo: 'cat /tmp/fstab > /etc/fstab; systemctl daemon-reload',
    isSample: true,
  },
  {
    what: 'a disk that waits for its passphrase at the console',
    step: 'changes',
    script: `echo 'secret /dev/disk/by-label/secret none luks' > /etc/crypttab`,
    why: other,
    undo: 'rm /etc/crypttab',
  },
  {
    what: 'it boots into rescue mode',
    step: 'changes',
    script: 'systemctl set-default --quiet rescue.target',
    why: other,
    undo: 'rm /etc/systemd/system/default.target; systemctl daemon-reload',
  },
  {
    what: 'a kernel without its initrd',
    step: 'boot',
    // Debian's containers have no kernel, and not this program.
    script:
      'printf "#!/bin/sh\\n" > /usr/local/sbin/update-initramfs; chmod 755 /usr/local/sbin/update-initramfs; echo kernel > /boot/vmlinuz-6.1.0-99',
    why: 'no: the disk may be full',
    undo: 'rm /usr/local/sbin/update-initramfs /boot/vmlinuz-6.1.0-99',
  },
  {
    what: 'units wait for each other at the next boot',
    step: 'boot',
    script: dropIn('skolo-firewall.service', '[Unit]\\nAfter=multi-user.target\\n'),
    why: other,
    undo: 'rm -r /etc/systemd/system/skolo-firewall.service.d; systemctl daemon-reload',
  },
  {
    what: 'a setting of the kernel that applies from the next boot',
    step: 'boot',
    script: 'echo net.ipv4.tcp_syncookies=0 > /etc/sysctl.d/99-person.conf',
    why: other,
    undo: 'rm /etc/sysctl.d/99-person.conf',
  },
  {
    what: 'a shutdown is scheduled',
    step: 'changes',
    script:
      "mkdir -p /run/systemd/shutdown; printf 'USEC=1800000000000000\\nMODE=poweroff\\n' > /run/systemd/shutdown/scheduled",
    why: 'no: somebody has scheduled it',
    undo: 'rm /run/systemd/shutdown/scheduled',
  },
  {
    what: 'the root is mounted read-only at the next boot',
    step: 'changes',
    script: `cp /etc/fstab /tmp/fstab; echo '/dev/root / ext4 ro,errors=remount-ro 0 1' >> /etc/fstab`,
    why: other,
    undo: 'cat /tmp/fstab > /etc/fstab; systemctl daemon-reload',
  },
  {
    what: 'a kernel parameter of a debug session',
    step: 'boot',
    script: `mkdir -p /boot/grub; printf 'menuentry Debian {\n  linux /boot/vmlinuz root=/dev/sda1 ro systemd.unit=emergency.target\n}\n' > /boot/grub/grub.cfg`,
    why: other,
    undo: 'rm -r /boot/grub',
  },
  {
    what: 'the interface has another name at the next boot',
    step: 'changes',
    script: `mkdir -p /etc/systemd/network; printf '[Match]\nType=ether\n[Link]\nName=lan0\n' > /etc/systemd/network/10-lan.link`,
    why: other,
    undo: 'rm /etc/systemd/network/10-lan.link',
  },
  {
    what: 'chrony has failed as often as systemd allows',
    step: 'clock',
    script:
      'for each in 1 2 3 4 5 6; do systemctl start chrony; systemctl kill --signal=KILL chrony; sleep 0.2; done 2> /dev/null || true',
  },
  {
    what: 'the hardware clock is in local time',
    step: 'clock',
    script: `printf '0.0 0 0.0\n0\nLOCAL\n' > /etc/adjtime`,
    why: 'no: another system may need it',
    undo: 'rm /etc/adjtime',
  },
  {
    what: 'chrony has another source, which does not exist',
    step: 'changes',
    script: `cp -p /etc/chrony/chrony.conf /tmp/chrony.conf; echo 'server 192.0.2.1 iburst' > /etc/chrony/chrony.conf`,
    why: other,
    undo: 'cp -p /tmp/chrony.conf /etc/chrony/chrony.conf',
  },
  {
    what: 'programs use no name server, only the names of containers',
    step: 'services',
    script: `cp -p /etc/nsswitch.conf /tmp/nsswitch.conf; sed -i 's/^hosts:.*/hosts: mymachines/' /etc/nsswitch.conf`,
    why: other,
    undo: 'cp -p /tmp/nsswitch.conf /etc/nsswitch.conf',
  },
  {
    what: 'an alias of the jumphost has a second address',
    step: 'services',
    script: `cp -p /etc/hosts /tmp/hosts; echo '192.0.2.77 metadata metadata.google.internal' >> /etc/hosts`,
    why: 'no: the router has the names',
    undo: 'cat /tmp/hosts > /etc/hosts',
  },
  {
    what: 'all programs use a proxy that is gone',
    step: 'changes',
    script: 'echo HTTPS_PROXY=http://192.0.2.9:3128 >> /etc/environment',
    why: other,
    undo: "sed -i '/^HTTPS_PROXY/d' /etc/environment",
  },
  {
    what: 'a disk with errors became read-only',
    step: 'system',
    script: 'mount --bind /var/lib/skolo /var/lib/skolo; mount -o remount,bind,ro /var/lib/skolo',
    why: 'no: the disk may be failing',
    undo: 'umount /var/lib/skolo',
  },
  {
    what: 'a package is half configured',
    step: 'updates',
    script: `cp -p /var/lib/dpkg/status /tmp/status; sed -i '/^Package: chrony$/,/^$/ s/^Status: install ok installed/Status: install ok half-configured/' /var/lib/dpkg/status`,
    why: other,
    undo: 'cp -p /tmp/status /var/lib/dpkg/status',
  },
  {
    what: 'updates reboot the jumphost at night, because of a later file',
    step: 'updates',
    script: `printf 'Unattended-Upgrade::Automatic-Reboot "true";\\nUnattended-Upgrade::Automatic-Reboot-Time "03:30";\\n' > /etc/apt/apt.conf.d/99reboot`,
    why: other,
    undo: 'rm /etc/apt/apt.conf.d/99reboot',
  },
  {
    what: 'none of the sources of chrony responds',
    step: 'uses',
    script: `nft add table inet person; nft 'add chain inet person output { type filter hook output priority 0; }'; nft add rule inet person output udp dport 123 drop; systemctl restart chrony`,
    why: 'no: it does not know why',
    undo: 'nft delete table inet person; systemctl restart chrony',
  },
  {
    what: 'the timer of security updates is disabled',
    step: 'updates',
    script: 'systemctl disable --now --quiet apt-daily-upgrade.timer',
  },
  {
    what: 'sudo asks an account for a password, because of a later file',
    step: 'changes',
    script: `useradd --create-home --shell /bin/bash --groups sudo ann
echo 'ann ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ann; echo '%sudo ALL=(ALL) ALL' > /etc/sudoers.d/zz-person; chmod 440 /etc/sudoers.d/ann /etc/sudoers.d/zz-person`,
    why: other,
    undo: 'rm /etc/sudoers.d/ann /etc/sudoers.d/zz-person; userdel -r ann 2> /dev/null',
    isSample: true,
  },
  {
    what: 'sudo requires a terminal of an account with the role view',
    step: 'changes',
    script: `useradd --create-home --shell /bin/bash vic
echo 'vic ALL=(root) NOPASSWD: /usr/local/bin/k3s kubectl version -o json' > /etc/sudoers.d/vic; echo 'Defaults requiretty' > /etc/sudoers.d/person; chmod 440 /etc/sudoers.d/vic /etc/sudoers.d/person`,
    why: other,
    undo: 'rm /etc/sudoers.d/vic /etc/sudoers.d/person; userdel -r vic 2> /dev/null',
  },
  {
    what: "sshd rejects another operator's account from the rack",
    step: 'ssh',
    script: `useradd --create-home --shell /bin/bash ann; install -D -o ann -m 600 /root/.ssh/authorized_keys /home/ann/.ssh/authorized_keys; chown ann /home/ann/.ssh
printf 'Match Address ${machine}\n  DenyUsers ann\n' > ${sshdFile}`,
    why: other,
    undo: `userdel -r ann 2> /dev/null; rm ${sshdFile}`,
  },
  {
    what: 'no inodes are free',
    step: 'system',
    script:
      'mount -t tmpfs -o nr_inodes=8 tmpfs /var/lib/skolo; for each in 1 2 3 4 5 6 7 8; do touch "/var/lib/skolo/$each" || true; done 2> /dev/null',
    why: 'no: it does not know what you need',
    undo: 'umount /var/lib/skolo',
  },
  {
    what: 'a disk that is 98% full',
    step: 'system',
    script:
      'mount -t tmpfs -o size=64M tmpfs /var/lib/skolo; head -c 63M /dev/zero > /var/lib/skolo/full',
    why: 'no: it does not know what you need',
    undo: 'umount /var/lib/skolo',
    isSample: true,
  },
  {
    what: 'an alias of the jumphost leads elsewhere',
    step: 'services',
    script:
      "sed 's/^ADDRESS metadata/192.0.2.9 metadata/' /etc/hosts > /tmp/hosts && cat /tmp/hosts > /etc/hosts",
    why: 'no: the router has the names',
    undo: "sed 's/^192.0.2.9 metadata/ADDRESS metadata/' /etc/hosts > /tmp/hosts && cat /tmp/hosts > /etc/hosts",
  },
  {
    what: 'a unit has failed',
    step: 'services',
    script: unit('of-bob.service', '/bin/false'),
    why: 'no: it belongs to somebody else',
    undo: removeUnit('of-bob.service'),
  },
];
