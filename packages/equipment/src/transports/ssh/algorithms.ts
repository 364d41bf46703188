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

/** Behind curves and named groups, because the device decides what it costs. */
const last = ['diffie-hellman-group-exchange-sha256'] as const;
/** With longer keys, devices prefer larger groups (RFC 4419, section 3). */
const first = ['aes128-gcm@openssh.com', 'aes128-ctr'] as const;

export function algorithms(legacySsh: boolean): Algorithms {
  const old = legacySsh ? legacy : undefined;
  const outdated = legacySsh ? undefined : outdatedDefaults;
  return {
    // ssh2 inflates a packet without a limit: three of 30 kB become gigabytes.
    compress: ['none'],
    kex: changed({ remove: last, append: [...last, ...(old?.kex ?? [])] }),
    cipher: changed({ remove: first, prepend: first, append: old?.cipher }),
    serverHostKey: changed({ remove: outdated?.serverHostKey, append: old?.serverHostKey }),
    hmac: changed({ remove: outdated?.hmac, append: old?.hmac }),
  };
}

type Changes<T> = Partial<Record<'remove' | 'prepend' | 'append', readonly T[] | undefined>>;

/** Of ssh2's default list, in this order. Its types require all three. */
function changed<T>({ remove = [], prepend = [], append = [] }: Changes<T>) {
  return { remove: [...remove], prepend: [...prepend], append: [...append] };
}

/** The legacy algorithms among the negotiated ones, without duplicates. */
export function legacyOf({ kex, serverHostKey, cs, sc }: NegotiatedAlgorithms): string[] {
  const old: readonly string[] = Object.values(legacy).flat();
  const agreed = [kex, serverHostKey, cs.cipher, cs.mac, sc.cipher, sc.mac];
  return [...new Set(agreed.filter((name) => old.includes(name)))];
}
