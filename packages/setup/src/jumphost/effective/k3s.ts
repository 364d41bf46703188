/** Checks the running k3s: arguments that would break the rack or open it to strangers, and who can read its secrets. */
import { parseJson, pause, shellWord } from '@skolo/base';
import { k3sTokenFile } from '@skolo/rack/secrets';
import type { Host } from '@skolo/setup/engine';
import { binary } from '@skolo/setup/k3s';
import { z } from 'zod';

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

const Arguments = z.array(z.string());
type Wanted = Readonly<Record<string, unknown>>;

/** k3s records its arguments some seconds after it has registered its node. */
const recently = `[ $(($(cut -d . -f 1 /proc/uptime) - $(systemctl show --value --property=ActiveEnterTimestampMonotonic k3s.service) / 1000000)) -lt 90 ]`;

/**
 * Compares k3s's arguments from its unit, its environment and all its files, as recorded on its node (`k3s.io/node-args`). A file in
 * config.yaml.d that it has not read yet is a change by others (changes.ts).
 *
 * @returns lines, as `withLines` reads them
 */
export async function k3sInEffect(host: Host, node: string, wanted: Wanted): Promise<string[]> {
  for (;;) {
    const { stdout } = await host.run(
      `${binary} kubectl get node ${shellWord(node)} -o jsonpath='{.metadata.annotations.k3s\\.io/node-args}'`,
    );
    const args = Arguments.safeParse(parseJson(stdout)).data ?? [];
    const harms = args.flatMap((value, at) => whyHarmful(args[at - 1]?.replace(/^--/, ''), value));
    const differs = [
      ...differing(args, wanted),
      ...harms.map((why) => `by hand: k3s is running with ${why}; ${remedy}`),
    ];
    if (differs.length === 0 || (await host.run(recently)).code !== 0) return differs;
    await pause(1000);
  }
}

const remedy =
  'remove this setting (see systemctl cat k3s and /etc/rancher/k3s), and run systemctl restart k3s';

/** Values with which a rack does not work, or is open to others. Sources: kube/README.md, docs.k3s.io/cli/server. */
const harmful: Readonly<Record<string, RegExp>> = {
  disable: /servicelb|traefik|coredns/,
  'disable-network-policy': /true/,
  'disable-kube-proxy': /true/,
  'disable-helm-controller': /true/,
  'flannel-backend': /none/,
  'cluster-cidr': /^(?!10\.42\.0\.0\/16$)/,
  'service-cidr': /^(?!10\.43\.0\.0\/16$)/,
  'write-kubeconfig-mode': /(?!00)\d\d$/,
  'kube-apiserver-arg': /anonymous-auth=true|AlwaysAllow|authorization-config/,
};

function whyHarmful(key: string | undefined, value: string): string[] {
  return harmful[key ?? '']?.test(value) ? [`${key} ${value}`] : [];
}

function differing(args: readonly string[], wanted: Wanted): string[] {
  return Object.entries(wanted).flatMap(([key, value]) => {
    const values = args.filter((_, at) => args[at - 1] === `--${key}`);
    const given = Array.isArray(value) ? values : values.slice(-1);
    const missing = asTexts(value).filter((each) => !given.includes(each));
    if (missing.length === 0) return [];
    return [
      `by hand: k3s is running with ${key} ${given.join(', ') || 'unset'} instead of ${missing.join(', ')}; fix the setting (see systemctl cat k3s and /etc/rancher/k3s), and run systemctl restart k3s`,
    ];
  });
}

function asTexts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}
