/** A cluster of kubeadm, on its server: what a computer that joins or leaves needs of it. */
import { createHash, X509Certificate } from 'node:crypto';
import { shellWord } from '@skolo/errors';
import { type Host, type JoinCluster, parseNode } from '@skolo/jumphost';
import { kubectlOn } from '../kubectl.ts';

export const authorityFile = '/etc/kubernetes/pki/ca.crt';

export interface KubeadmCluster extends Pick<JoinCluster, 'node' | 'taint' | 'forget'> {
  /** Certificate of its authority, as PEM. */
  ca(): Promise<string | undefined>;
  /** A token with which a node can join for 15 minutes. @param about for the list of tokens: who joins */
  newToken(about: string): Promise<string>;
}

export function kubeadmOn(server: Host | Promise<Host>): KubeadmCluster {
  const kubectl = async () => kubectlOn(await server);
  return {
    async node(name) {
      const args = ['get', 'node', name, '--ignore-not-found', '-o', 'json'];
      const text = await (await kubectl()).run(args);
      return text.trim() === '' ? undefined : parseNode(text);
    },
    async taint(name, taint) {
      await (await kubectl()).run(['taint', 'node', '--overwrite', name, taint]);
    },
    async forget(name) {
      await (await kubectl()).run(['delete', '--ignore-not-found', '--wait=false', 'node', name]);
    },
    ca: async () => (await server).read(authorityFile),
    async newToken(about) {
      const words = `--ttl 15m0s --description ${shellWord(about)}`;
      const text = await (await server).need(
        `kubeadm token create --kubeconfig /etc/kubernetes/admin.conf ${words}`,
      );
      return text.trim();
    },
  };
}

/** As `kubeadm join` compares it: of the public key. Source: kubeadm, `discovery.bootstrapToken.caCertHashes`. */
export function caHashOf(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
