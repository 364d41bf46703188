/**
 * Decides which keys of a copy's /etc/rancher/k3s/config.yaml a spare takes over: networks, names and features of the cluster. Others
 * could run programs, let strangers in, or turn a protection off. Source: docs.k3s.io, k3s server.
 */
import { isObject } from '@skolo/base';
import { k3sTokenFile } from '@skolo/rack/secrets';
import { parse, stringify } from 'yaml';

const known = new Set([
  ...['node-name', 'node-ip', 'node-external-ip', 'node-label', 'node-taint', 'tls-san'],
  ...['cluster-cidr', 'service-cidr', 'service-node-port-range', 'cluster-domain'],
  ...['flannel-iface', 'flannel-ipv6-masq', 'flannel-external-ip', 'advertise-address', 'disable'],
  ...['disable-kube-proxy', 'disable-cloud-controller', 'disable-helm-controller'],
]);

/** The only values of other keys that are taken over. */
const safe = new Map<string, readonly unknown[]>([
  ['secrets-encryption', [true]],
  ['protect-kernel-defaults', [true]],
  ['selinux', [true]],
  ['tls-san-security', [true]],
  ['disable-network-policy', [false]],
  ['flannel-backend', ['vxlan', 'host-gw', 'wireguard-native']],
  ['token-file', [k3sTokenFile]],
]);

const mark = '# not taken over: ';

/**
 * Returns the file with only these keys, and comments that name the others, and what else was in its folder. Whoever needs those adds
 * them to the new jumphost.
 *
 * @param text as in the copy; one that is not a YAML map has no keys
 */
export function knownSettings(text: string, files: readonly string[]): string {
  const settings = Object.entries(parsed(text));
  const isKept = ([key, value]: [string, unknown]) =>
    known.has(key) || safe.get(key)?.includes(value);
  const kept = settings.filter(isKept);
  const dropped = settings.filter((setting) => !isKept(setting)).map(([key]) => `key ${key}`);
  const comments = [...dropped, ...files].map((what) => `${mark}${JSON.stringify(what)}\n`);
  return comments.join('') + (kept.length > 0 ? stringify(Object.fromEntries(kept)) : '');
}

/** The names in these comments. */
export function droppedSettings(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.startsWith(mark));
  return lines.map((line) => String(JSON.parse(line.slice(mark.length))));
}

function parsed(text: string): Record<string, unknown> {
  try {
    const content: unknown = parse(text, { maxAliasCount: 0 });
    return isObject(content) ? content : {};
  } catch {
    return {};
  }
}
