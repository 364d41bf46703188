/** The public key of an ssh key pair. */
import type { Secret } from '@skolo/base/secrets';
import ssh2 from 'ssh2';

/** `ssh-ed25519 AAAA…`, as in authorized_keys, without a comment. Undefined if it is not a private key, or has a passphrase. */
export function publicKeyOf(privateKey: Secret): string | undefined {
  const key = ssh2.utils.parseKey(privateKey.reveal());
  if (key instanceof Error || Array.isArray(key) || !key.isPrivateKey()) return undefined;
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}
