import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** Real counterparts that tests use where they are installed; the table is scripts/peers.yaml. */
export const peerNames = [
  'curl',
  'dnsmasq',
  'gcloud',
  'ip',
  'ping',
  'prometheus',
  'promtool',
  'pstest',
  'python3-google-auth',
  'python3-cryptography',
  'python3-jsonschema',
  'wrk',
  'snmp-tools',
  'snmpd',
  'fence-agents',
  'ipmitool',
  'ipmi_sim',
  'mosquitto',
  'mosquitto-clients',
  'sshd',
  'ssh',
  'labgrid',
  'ansible',
  'alertmanager',
  'amtool',
  'netmiko',
  'frr',
  'rancid',
  'age',
  'sops',
  'strace',
  'busybox',
  'shellcheck',
  'mtools',
  'redfishtool',
  'pdudaemon',
  'uhubctl',
  'adb',
  'libimobiledevice',
  'systemd-nspawn',
  'python3',
  'node-exporter',
  'blackbox-exporter',
  'chronyd',
  'chromium',
  'control-plane',
  'real-node',
  'cloud-init',
  'cloud-init-root',
  'virt-arm64',
  'virt-amd64',
  'debian',
  'debian-13',
  'kubectl',
  'zsh',
  'containerd',
  'containerd-2',
  'flannel',
  'network-manager',
  'xfsprogs',
  'dockerd',
  'docker',
  'docker-registry',
  'buildx',
  'mmdebstrap',
  'qemu-user-static',
  'openssl',
  'nft',
  'iptables',
  'gpg',
  'awk',
  'jq',
  'xz',
  'patch',
  'fdisk',
  'ps',
] as const;
export type PeerName = (typeof peerNames)[number];

const Peers = z.partialRecord(z.string(), z.looseObject({ path: z.string(), version: z.string() }));

const peers = Peers.parse(JSON.parse(process.env.SKOLO_PEERS ?? '{}'));
const looked = new Set<PeerName>();

/**
 * Returns the path of an installed program, or undefined. For `python3-google-auth` it is the interpreter that has google-auth and requests.
 *
 * `npm test` looks once for all packages and passes on the result as SKOLO_PEERS. A test that is run by itself looks when it first asks.
 *
 * @example
 * const curl = peer('curl');
 * it('answers curl', (context) => {
 *   if (!curl) return context.skip('curl is not installed');
 */
export function peer(name: PeerName): string | undefined {
  if (process.env.SKOLO_PEERS === undefined && !looked.has(name)) {
    looked.add(name);
    const script = fileURLToPath(new URL('../../../scripts/peers.mjs', import.meta.url));
    const text = execFileSync(process.execPath, [script, '--json', name], { encoding: 'utf8' });
    Object.assign(peers, Peers.parse(JSON.parse(text)));
  }
  return peers[name]?.path;
}

/**
 * Returns the reason why tests that start these programs, or need to be root, do not run here, or undefined if they do.
 *
 * @example
 * describe.skipIf(lacks('openssl', 'root'))('a certificate', () => {
 */
export function lacks(...names: (PeerName | 'root')[]): string | undefined {
  const missing = names.filter((name) =>
    name === 'root' ? process.getuid?.() !== 0 : peer(name) === undefined,
  );
  const why = missing.map((name) => (name === 'root' ? 'needs root' : `${name} is not installed`));
  return why.length > 0 ? why.join(', ') : undefined;
}
