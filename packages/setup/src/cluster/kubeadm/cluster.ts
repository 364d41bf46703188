/** A kubeadm cluster on its server: the operations for computers that join or leave. */
import { X509Certificate } from 'node:crypto';
import { sha256, shellWord } from '@skolo/base';
import type { Host } from '@skolo/setup/engine';
import { clusterOn, type JoinCluster } from '@skolo/setup/k3s';

export const authorityFile = '/etc/kubernetes/pki/ca.crt';

export interface KubeadmCluster extends Pick<JoinCluster, 'node' | 'taint' | 'forget' | 'ca'> {
  /** A token with which a node can join for 15 minutes. @param about who joins, for the list of tokens */
  newToken(about: string): Promise<string>;
}

const kubeconfig = '--kubeconfig /etc/kubernetes/admin.conf';
const kubectl = `kubectl ${kubeconfig} --request-timeout=30s`;

export function kubeadmOn(server: Host | Promise<Host>): KubeadmCluster {
  const { node, taint } = clusterOn(server, kubectl);
  return {
    node,
    taint,
    async forget(name) {
      const node = shellWord(name);
      await (await server).need(`${kubectl} delete --ignore-not-found --wait=false node ${node}`);
    },
    ca: async () => (await server).read(authorityFile),
    async newToken(about) {
      const words = `--ttl 15m0s --description ${shellWord(about)}`;
      return (await (await server).need(`kubeadm token create ${kubeconfig} ${words}`)).trim();
    },
  };
}

/** The digest of the public key that `kubeadm join` compares. Source: kubeadm, `discovery.bootstrapToken.caCertHashes`. */
export function caHashOf(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${sha256(key)}`;
}
