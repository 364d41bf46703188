/** Decides which versions a kubeadm cluster gets, and which checksums and keys of publishers' files are trusted. */
import { sha256 } from '@skolo/base';
import type { FileCheck } from '@skolo/setup/engine';
import { ClusterError } from '../errors.ts';
import { fingerprintsOf } from './open-pgp.ts';

/** https://kubernetes.io/releases */
export const kubeadmVersion = 'v1.34.8';
/** https://github.com/flannel-io/flannel/releases */
export const flannelVersion = 'v0.27.4';
/** Its publisher does not publish checksums. This is the 4,476-byte file from November 2025. */
const flannelSha256 = 'f17c57f82ffef1d53dbf558ac30755241980563044622778a15df339e4346c57';
/** The version that kubeadm v1.34 specifies. Source: kubernetes, cmd/kubeadm/app/constants. */
export const pauseImage = 'registry.k8s.io/pause:3.10.1';

/** The key of isv:kubernetes, which signs all packages on pkgs.k8s.io. Its expiry date, and so its file's checksum, changes. */
const signer = 'DE15B14486CD377B9E876E1A234654DA9A296436';
/** The first version whose kubeadm supports configuration v1beta4. */
const leastMinor = 31;

/** `v1.34`; each has its own package source. @throws ClusterError */
export function minorOf(version: string): string {
  const [, minor] = /^v1\.(\d+)\.\d+$/.exec(version) ?? [];
  if (minor !== undefined && Number(minor) >= leastMinor) return `v1.${minor}`;
  throw new ClusterError(
    `${version}: skolo does not support this version of kubeadm; specify v1.${leastMinor}.0 or newer, such as ${kubeadmVersion}`,
  );
}

/** The key of the packages of a minor version. */
export function keyRelease(minor: string) {
  return {
    name: `kubernetes-${minor}`,
    url: `https://pkgs.k8s.io/core:/stable:/${minor}/deb`,
    sums: isKeyOf(signer),
  };
}

export const flannelRelease = {
  name: `flannel-${flannelVersion}`,
  url: `https://github.com/flannel-io/flannel/releases/download/${flannelVersion}`,
  sums: (bytes: Buffer) => {
    const sum = sha256(bytes);
    return sum === flannelSha256 ? undefined : `the SHA-256 is ${sum}, expected ${flannelSha256}`;
  },
};

/** Whether a file contains only the key with this fingerprint, because apt trusts every key in it. */
export function isKeyOf(fingerprint: string): FileCheck {
  return (bytes) => {
    const found = fingerprintsOf(bytes.toString('latin1'));
    if (found.length === 1 && found[0] === fingerprint) return undefined;
    return `the file contains the keys ${found.join(', ') || '(none)'} instead of only ${fingerprint}`;
  };
}
