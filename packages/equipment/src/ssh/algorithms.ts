/**
 * What is offered to a device, and what only where its login says `legacySsh`: SHA-1 and CBC of devices whose firmware
 * ended around 2015. Names that ssh2 1.17 does not know make it throw, so blowfish and arcfour are not among them.
 */
import type { Algorithms, NegotiatedAlgorithms } from 'ssh2';

const legacy = {
  kex: [
    'diffie-hellman-group14-sha1',
    'diffie-hellman-group-exchange-sha1',
    'diffie-hellman-group1-sha1',
  ],
  serverHostKey: ['ssh-rsa', 'ssh-dss'],
  cipher: ['aes128-cbc', 'aes192-cbc', 'aes256-cbc', '3des-cbc'],
  hmac: ['hmac-sha1', 'hmac-sha1-96', 'hmac-md5', 'hmac-md5-96'],
} as const;

/** ssh2 offers these by default. */
const outdatedDefaults = {
  serverHostKey: ['ssh-rsa'],
  hmac: ['hmac-sha1', 'hmac-sha1-etm@openssh.com'],
} as const;

export function algorithms(legacySsh: boolean): Algorithms {
  if (!legacySsh) {
    return {
      serverHostKey: only('remove', outdatedDefaults.serverHostKey),
      hmac: only('remove', outdatedDefaults.hmac),
    };
  }
  return {
    kex: only('append', legacy.kex),
    serverHostKey: only('append', legacy.serverHostKey),
    cipher: only('append', legacy.cipher),
    hmac: only('append', legacy.hmac),
  };
}

/** ssh2's types want all three lists. */
function only<T>(what: 'append' | 'remove', names: readonly T[]) {
  return { append: [], prepend: [], remove: [], [what]: [...names] };
}

/** The old algorithms among those that were agreed on, each once. */
export function legacyOf({ kex, serverHostKey, cs, sc }: NegotiatedAlgorithms): string[] {
  const old: readonly string[] = Object.values(legacy).flat();
  const agreed = [kex, serverHostKey, cs.cipher, cs.mac, sc.cipher, sc.mac];
  return [...new Set(agreed.filter((name) => old.includes(name)))];
}
