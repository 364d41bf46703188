/**
 * Decides which SSH algorithms are offered to every device, and those offered only if its login has `legacySsh`: SHA-1 and CBC for
 * devices whose firmware ended around 2015. ssh2 1.17 throws on names that it does not know, so blowfish and arcfour are not included.
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
  // ssh2 inflates a packet without a limit: three of 30 kB become gigabytes.
  const compress: Algorithms['compress'] = ['none'];
  if (!legacySsh) {
    return {
      compress,
      serverHostKey: only('remove', outdatedDefaults.serverHostKey),
      hmac: only('remove', outdatedDefaults.hmac),
    };
  }
  return {
    compress,
    kex: only('append', legacy.kex),
    serverHostKey: only('append', legacy.serverHostKey),
    cipher: only('append', legacy.cipher),
    hmac: only('append', legacy.hmac),
  };
}

/** ssh2's types require all three lists. */
function only<T>(what: 'append' | 'remove', names: readonly T[]) {
  return { append: [], prepend: [], remove: [], [what]: [...names] };
}

/** The legacy algorithms among the negotiated ones, without duplicates. */
export function legacyOf({ kex, serverHostKey, cs, sc }: NegotiatedAlgorithms): string[] {
  const old: readonly string[] = Object.values(legacy).flat();
  const agreed = [kex, serverHostKey, cs.cipher, cs.mac, sc.cipher, sc.mac];
  return [...new Set(agreed.filter((name) => old.includes(name)))];
}
