/** Checks the running k3s: who can read its secrets, and whether pods reach other computers. Arguments of others are changes (changes.ts). */
import { shellWord } from '@skolo/base';
import { k3sTokenFile } from '@skolo/rack/secrets';
import { binary } from '@skolo/setup/k3s';

const server = '/var/lib/rancher/k3s/server';

/** Each gives access to the whole cluster. */
const privateFiles = [
  ...['/etc/rancher/k3s/k3s.yaml', '/etc/rancher/k3s/config.yaml', k3sTokenFile],
  ...['/etc/systemd/system/k3s.service.env', `${server}/token`, `${server}/agent-token`],
].join(' ');
const open = `find -L ${privateFiles} -maxdepth 0 -perm /077`;

/** A script: only root can read the files that give access to the cluster. */
export const modesInEffect = `${open} -printf '%p has mode %m, so users other than root may be able to control the cluster\\n' 2>/dev/null || true`;
export const repairModes = `${open} -exec chmod go= {} + 2>/dev/null || true`;

/** Which k3s sets when it starts. Source: k3s, pkg/agent/syssetup/setup.go. */
function withoutForwarding(address: string): string {
  const conf = '/proc/sys/net/ipv4/conf';
  return `device=$(ip -o address show to ${shellWord(address)} | awk 'NR == 1 { print $2 }')
off=$(grep -lsx 0 ${conf}/all/forwarding "${conf}/$device/forwarding" ${conf}/cni0/forwarding ${conf}/flannel.1/forwarding /proc/sys/net/bridge/bridge-nf-call-iptables)`;
}

/** Scripts. */
export function forwardingInEffect(address: string): string {
  return `${withoutForwarding(address)}
for each in $off; do echo "$each is 0, so pods cannot communicate with other computers"; done`;
}
export function repairForwarding(address: string): string {
  return `${withoutForwarding(address)}\nfor each in $off; do echo 1 > "$each"; done`;
}

/** A script. Source: docs.k3s.io/cli/secrets-encrypt. */
export const encryptionInEffect = `status=$(${binary} secrets-encrypt status 2>&1)
case $status in
  *'Encryption Status: Enabled'*) ;;
  *'Encryption Status:'*) echo 'by hand: k3s stores cluster secrets unencrypted (see k3s secrets-encrypt status); run k3s secrets-encrypt enable. If the cluster was created without encryption, you must recreate it' ;;
  *) echo "by hand: cannot determine whether k3s encrypts cluster secrets: $(echo "$status" | tail -n 1); run k3s secrets-encrypt status" ;;
esac`;
