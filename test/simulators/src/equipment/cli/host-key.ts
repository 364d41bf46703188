import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

export interface HostKey {
  /** Private, in OpenSSH's or PEM format. */
  key: string;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  fingerprint: string;
}

interface KeyPair {
  private: string;
  public: string;
}

/** RSA keys take long to make: a process has one. */
let rsaPair: KeyPair | undefined;

/** A key pair in OpenSSH's format, for tests and new devices. One of RSA is always the same. */
export function makeSshKey(type: 'ed25519' | 'rsa' = 'ed25519'): KeyPair {
  if (type === 'rsa') {
    rsaPair ??= ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
    return rsaPair;
  }
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    // One in 300 of those that ssh2 1.17 makes cannot be read by anybody.
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** As in an authorized_keys file. @param privateKey in OpenSSH's or PEM format, without a passphrase */
export function publicSshKey(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`;
}

/** Of a private key that was given, or one of that type. */
export function hostKey(given: string | undefined, type: 'ed25519' | 'rsa'): HostKey {
  const key = given ?? makeSshKey(type).private;
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error) throw parsed;
  const digest = createHash('sha256').update(parsed.getPublicSSH()).digest('base64');
  return { key, fingerprint: `SHA256:${digest.replace(/=+$/, '')}` };
}
