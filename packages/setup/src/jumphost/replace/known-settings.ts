/**
 * Decides which keys of a copy's /etc/rancher/k3s/config.yaml a spare takes over: networks, names and features of the cluster. Others, such
 * as arguments of the API server, could run programs or let strangers in. Source: docs.k3s.io, k3s server.
 */
import { isObject } from '@skolo/base';
import { k3sTokenFile } from '@skolo/rack/secrets';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

const known = new Set([
  ...['secrets-encryption', 'node-name', 'node-ip', 'node-external-ip', 'node-label', 'node-taint'],
  ...['tls-san', 'tls-san-security', 'cluster-cidr', 'service-cidr', 'service-node-port-range'],
  ...['cluster-dns', 'cluster-domain', 'flannel-backend', 'flannel-iface', 'flannel-ipv6-masq'],
  ...['flannel-external-ip', 'egress-selector-mode', 'disable', 'disable-network-policy'],
  ...['disable-kube-proxy', 'disable-cloud-controller', 'disable-helm-controller'],
  ...[
    'advertise-address',
    'embedded-registry',
    'resolv-conf',
    'protect-kernel-defaults',
    'selinux',
  ],
]);

const Scalar = z.union([z.string().max(1000), z.number(), z.boolean()]);
const Value = z.union([Scalar, z.array(Scalar).max(1000)]);

/**
 * Returns the file with only its known keys, and the other keys. Whoever needs those adds them to the new jumphost.
 *
 * @param text as in the copy; one that is not a YAML map has no keys
 */
export function knownSettings(text: string): { text: string; dropped: string[] } {
  const kept: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [key, value] of Object.entries(parsed(text))) {
    const isTokenFile = key === 'token-file' && value === k3sTokenFile;
    if (isTokenFile || (known.has(key) && Value.safeParse(value).success)) kept[key] = value;
    else dropped.push(key);
  }
  return { text: stringify(kept), dropped };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const content: unknown = parse(text, { maxAliasCount: 0 });
    return isObject(content) ? content : {};
  } catch {
    return {};
  }
}
