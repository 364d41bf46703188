/** Configuration files of kubeadm and its API server. Source: kubernetes.io, kubeadm Configuration (v1beta4). */

import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import type { Member } from '../distribution.ts';

/** Also in flannel's manifest. */
const podSubnet = '10.244.0.0/16';
export const encryptionFile = '/etc/kubernetes/encryption.yaml';
const apiVersion = 'kubeadm.k8s.io/v1beta4';
const apiPort = 6443;

/** For `kubeadm init`. */
export function initConfiguration(server: Required<Member>, version: string): string {
  const { name, address } = server;
  return documents(
    {
      apiVersion,
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: address, bindPort: apiPort },
      // No taints: any pod may run on any node.
      nodeRegistration: { ...registration(server), taints: [] },
      // Without this, it creates a token that is valid for a day.
      bootstrapTokens: [{ ttl: '15m0s' }],
    },
    {
      apiVersion,
      kind: 'ClusterConfiguration',
      kubernetesVersion: version,
      networking: { podSubnet },
      apiServer: {
        // `skolo attach` connects through SSH to loopback.
        certSANs: [name, address, 'localhost', '127.0.0.1'],
        extraArgs: [{ name: 'encryption-provider-config', value: encryptionFile }],
        extraVolumes: [
          {
            name: 'encryption',
            hostPath: encryptionFile,
            mountPath: encryptionFile,
            readOnly: true,
            pathType: 'File',
          },
        ],
      },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupDriver: 'systemd',
    },
  );
}

/** For `kubeadm join`. The token is a secret. */
export function joinConfiguration(
  member: Member,
  { server, token, caHash }: { server: string; token: string; caHash: string },
): string {
  return documents({
    apiVersion,
    kind: 'JoinConfiguration',
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: `${server}:${apiPort}`,
        token,
        caCertHashes: [caHash],
      },
    },
    nodeRegistration: registration(member),
  });
}

/** Secrets are encrypted on disk with a key that only the server has. */
export function encryptionConfiguration(): string {
  const keys = [{ name: 'key1', secret: randomBytes(32).toString('base64') }];
  return documents({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets'], providers: [{ secretbox: { keys } }, { identity: {} }] }],
  });
}

function registration({ name, address }: Member) {
  return {
    name,
    criSocket: 'unix:///run/containerd/containerd.sock',
    ...(address !== undefined && { kubeletExtraArgs: [{ name: 'node-ip', value: address }] }),
  };
}

function documents(...all: object[]): string {
  return all.map((each) => stringify(each)).join('---\n');
}
