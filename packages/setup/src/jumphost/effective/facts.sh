#!/bin/sh
# Prints facts: who can become root or sign in, programs that run with its rights, trusted CAs, processes that listen, held packages,
# firewall rules, routes, kernel settings and mounts.

# Members of them can become root, or read what root can.
root_groups='^(root|sudo|admin|wheel|docker|disk|shadow|lxd|incus-admin|libvirt)$'
awk -F: -v roots="$root_groups" -v gids="$(awk -F: -v roots="$root_groups" '$1 ~ roots { printf "%s=%s ", $3, $1 }' /etc/group)" '
  BEGIN { split(gids, all, " "); for (at in all) { split(all[at], pair, "="); group[pair[1]] = pair[2] } }
  FILENAME ~ "shadow$" { isOpen[$1] = $2 !~ /^[!*]/; isEmpty[$1] = $2 == ""; next }
  FILENAME ~ "group$" { if ($1 ~ roots) { split($4, all, ","); for (at in all) print all[at] " is a member of " $1 } next }
  $2 != "x" { isOpen[$1] = $2 !~ /^[!*]/; isEmpty[$1] = $2 == "" }
  $3 == 0 && $1 != "root" { print $1 " has the user ID of root" }
  $1 != "root" && ($4 in group) { print $1 " is a member of " group[$4] }
  isOpen[$1] { print $1 " has " (isEmpty[$1] ? "an empty" : "a") " password" }
  $7 !~ /(nologin|false|sync)$/ && (isOpen[$1] || $3 >= 1000) { print $1 " has the shell " $7 }' /etc/shadow /etc/group /etc/passwd
for each in /etc/sudoers /etc/sudoers.d/*; do
  case ${each##*/} in *.* | *~) ;; *) sed -E '/^[[:space:]]*(#[^i0-9]|#$|$)/d; s/^/sudoers: /' "$each" ;; esac
done
awk -F: '$6 != "" { print $1, $6 }' /etc/passwd | while read -r user home; do
  sed -E "/^[[:space:]]*(#|$)/d; s|AAAA[A-Za-z0-9+/=]*([A-Za-z0-9+/=]{16})( \|$)|...\\1\\2|; s|^|$user accepts the key |" "$home/.ssh/authorized_keys" "$home/.ssh/authorized_keys2"
  # sshd ignores such keys, and somebody else can add one.
  [ ! -s "$home/.ssh/authorized_keys" ] || find -L "$home" "$home/.ssh" "$home/.ssh/authorized_keys" -maxdepth 0 \( ! -user "$user" ! -uid 0 -o -perm /022 \) -printf "%p has mode %m and owner %u\n"
done
systemctl show-environment | grep -vE '^(PATH|LANG|LANGUAGE|LC_[A-Z]*)=' | sed 's/^/systemd environment /'
dpkg-query -W -f 'package ${Package}\n'
dpkg --get-selections | sed -n 's/[[:space:]]*hold$//p' | sed 's/^/apt holds /'
# CAs that are not in the package ca-certificates.
{ find /usr/share/ca-certificates -name '*.crt' -exec cat {} +; echo '# Trusted:'; cat /etc/ssl/certs/ca-certificates.crt; } |
  awk '/^# Trusted/ { isTrusted = 1 } /^-----BEGIN/ { text = "" } { text = text $0 "\n" } /^-----END/ && !seen[text]++ && isTrusted { print text }' |
  openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout | sed -n 's/^subject= */root trusts the CA /p'
ss -Hlntp | grep -vE ' (127\.|\[::1\])' | sed -n 's/.*:\([0-9]*\) .*pid=\([0-9]*\),.*/\1 \2/p' | while read -r port pid; do
  grep -qE '\.service|init\.scope|kubepods' "/proc/$pid/cgroup" || echo "$(stat -c %U "/proc/$pid") runs $(readlink "/proc/$pid/exe"), which listens on port $port and belongs to no unit"
done
# Below the pruned folders, files of images decide nothing outside of their containers.
programs() { find /usr /opt /etc /root /home /srv /tmp /var /boot /mnt /media /run /dev/shm -xdev \( -path /var/lib/rancher -o -path /var/lib/containerd -o -path /var/lib/docker \) -prune -o -type f -perm /111 "$@"; }
{ programs -perm -4000 -uid 0 -printf '%p\truns as root (setuid)\n'
  programs -print0 | xargs -0r getcap | sed -E 's/ (= )?/\thas capabilities /'; } |
  awk -F '\t' 'function key(path) { sub("^/*", "", path); sub("^usr/", "", path); return path }
  FILENAME == "-" { name[key($1)] = $1; what[key($1)] = $2; next }
  key($0) in name { of = FILENAME; gsub(".*/|(:[a-z0-9]*)?[.]list$", "", of); print name[key($0)] " of " of " " what[key($0)]; delete name[key($0)] }
  END { for (each in name) print name[each] " " what[each] }' - /var/lib/dpkg/info/*.list

# Chains of programs that change them by themselves: k3s for pods, Docker for containers, fail2ban, Tailscale and libvirt. The table of skolo is
# the step `firewall`'s. k3s contains the old iptables.
managed='KUBE-|CNI-|FLANNEL|DOCKER($|[^-]|-[^U])|docker0|f2b-|ts-(input|forward|postrouting)|LIBVIRT'
nft -s list ruleset | awk -v managed="$managed" '
  /^table / { table = $2 " " $3; isChain = 0 }
  /^\t(chain|set|map|flowtable|ct) / { isChain = $1 == "chain"; chain = $2; next }
  !isChain || table ~ /(inet skolo| kube-proxy| flannel-ipv[46])$/ || (table " " chain "\n" $0) ~ managed { next }
  /^\t\ttype .* policy accept;$/ || /^\t*}?$/ { next }
  { sub(/^\t+/, ""); print "nft " table " " chain ": " $0 }'
PATH=$PATH:/var/lib/rancher/k3s/data/current/bin/aux
for each in ip ip6; do
  [ ! -s /proc/net/${each}_tables_names ] || ${each}tables-legacy-save | grep -E '^(-A|:.* DROP)' | grep -vE "$managed" | sed "s/ \[.*//; s/^/${each}tables-legacy: /"
done
for each in -4 -6; do
  ip $each rule | grep -vE '^(0:.*lookup local|32766:.*lookup main|32767:.*lookup default)' | sed 's/^/ip rule /'
  ip $each route show table all | grep -vE ' (proto (kernel|dhcp|ra)|table local|dev (cni|flannel|veth|skolo-last|kube|cali|tailscale)[^ ]*)( |$)|^(10\.42\.|fd00:42:)' | sed -E 's/ (expires [^ ]*|linkdown|dead|cache)//g; s/^/ip route /'
done
ip -o address show scope global | awk '$2 !~ /^(cni|flannel|veth|kube|cali|tailscale|docker|br-|virbr)/ && !/ (dynamic|temporary) / { print "ip address " $4 " on " $2 }'
ip xfrm policy | grep '^src' | sort -u | sed 's/^/ip xfrm policy /'
# Without what k3s, Docker or the kernel set.
(cd /proc/sys/net/ipv4 && grep -d skip . ./* conf/all/* neigh/default/*) | grep -vE '(forward|forwarding|route_localnet|_key|_mem|_congestion_control):' | sed 's|^\./||; s|/|.|g; s/:/ = /; s/^/sysctl net.ipv4./'

# Those of pods come and go.
findmnt -rno TARGET,SOURCE,VFS-OPTIONS | awk '$1 !~ "^/(proc|sys|dev|run|mnt|media|srv|tmp|snap|var/lib/(kubelet|rancher/k3s/agent/containerd|containerd|containers|docker))(/|$)" || $1 ~ "^/dev/shm$" {
  sub("^/dev/[^[]*", "a disk", $2); options = ""; split($3, all, ","); for (at in all) if (all[at] ~ /^(ro|no(exec|suid|dev))$/) options = options " " all[at]; print "mount of " $2 " at " $1 options }'
