import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

export interface HostKey {
  /** Private, in OpenSSH's or PEM format. */
  key: string;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  fingerprint: string;
}

/** A key pair in OpenSSH's format, for tests and new devices. */
export function makeSshKey(type: 'ed25519' | 'rsa' = 'ed25519'): {
  private: string;
  public: string;
} {
  if (type === 'rsa') return ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
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

/** RSA keys take long to make: devices of one process share theirs. */
let rsaKey: string | undefined;

/** Of a private key that was given, or one of that type. */
export function hostKey(given: string | undefined, type: 'ed25519' | 'rsa'): HostKey {
  const key = given ?? newKey(type);
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error) throw parsed;
  const digest = createHash('sha256').update(parsed.getPublicSSH()).digest('base64');
  return { key, fingerprint: `SHA256:${digest.replace(/=+$/, '')}` };
}

function newKey(type: 'ed25519' | 'rsa'): string {
  if (type === 'ed25519') return makeSshKey().private;
  rsaKey ??= makeSshKey('rsa').private;
  return rsaKey;
}
