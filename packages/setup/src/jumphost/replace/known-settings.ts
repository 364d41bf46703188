/**
 * Decides which keys of a copy's /etc/rancher/k3s/config.yaml a spare takes over: networks, names and features of the cluster. Others
 * could run programs, let strangers in, or turn a protection off. Source: docs.k3s.io, k3s server.
 */
import { isObject } from '@skolo/base';
import { k3sTokenFile } from '@skolo/rack/secrets';
import { parse, type ScalarTag, stringify } from 'yaml';

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
 * @param text as in the copy; one that is not a YAML map is named, too
 */
export function knownSettings(text: string, files: readonly string[]): string {
  const map = parsed(text);
  const settings = Object.entries(map ?? {});
  const isKept = ([key, value]: [string, unknown]) =>
    known.has(key) || safe.get(key)?.includes(value);
  const kept = settings.filter(isKept);
  const dropped = settings.filter((setting) => !isKept(setting)).map(([key]) => `key ${key}`);
  const unreadable = map === undefined ? ['config.yaml'] : [];
  const comments = [...dropped, ...unreadable, ...files].map(
    (what) => `${mark}${JSON.stringify(what)}\n`,
  );
  return comments.join('') + (kept.length > 0 ? stringify(Object.fromEntries(kept), forK3s) : '');
}

/** The names in these comments. */
export function droppedSettings(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.startsWith(mark));
  return lines.map((line) => String(JSON.parse(line.slice(mark.length))));
}

/** k3s reads YAML 1.1, in which more words are booleans. */
const boolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:[YyNn]|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF)$/,
  resolve: (word) => /^(?:y|on)/i.test(word),
};
const forK3s = { compat: 'yaml-1.1' } as const;

/** Undefined if k3s could not read it, or not everybody in the same way. */
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const content: unknown = parse(text, { customTags: [boolean], logLevel: 'error' });
    // Resolves aliases, and fails if one contains itself.
    const resolved: unknown = JSON.parse(JSON.stringify(content ?? {}));
    return isObject(resolved) ? resolved : undefined;
  } catch {
    return undefined;
  }
}
