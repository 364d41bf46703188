/**
 * Diffie-Hellman group exchange (RFC 4419), whose group the device chooses, without the check of Node's `createDiffieHellman` whether the
 * group is prime: one synchronous call of 1 s for 3072 bits, and of minutes for 23,000, before the host key and the sign-in.
 *
 * ssh2 never used the result of that check, and OpenSSH's client does not check, either (kexgexc.c). A bad group harms only the session for
 * which the device chose it: whoever records that session may be able to decrypt it. Nobody in between can replace the group, because the
 * host key signs the exchange hash, which includes it (RFC 4419, section 3), and ssh2 verifies that before anything secret is sent. While no
 * host key is pinned, whoever has the device's address can pose as the device, with any group. Each exchange uses new keys, so a bad group
 * reveals nothing about another session.
 */
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import type { Client } from 'ssh2';
import { DeviceRejected } from '../errors.ts';
import type { Target } from '../session.ts';
import { contentOf, elements, tags } from '../snmp/ber.ts';

declare module 'crypto' {
  /** Missing in the types of Node. */
  function generateKeyPairSync(type: 'dh', options: DhOptions): KeyPairKeyObjectResult;
  type DhOptions = { prime: Buffer; generator: number };
}

/** RFC 8270. */
const leastBits = 2048;
/** ssh2 requests this for 128-bit ciphers. For 256-bit ones it would request 8192, which take twenty times as long. */
const requestedBits = 3072;
/** A call takes 15 ms of CPU time, and 90 ms for 8192 bits; a slow computer takes five times as long. */
const mostBits = { usual: 4096, legacySsh: 8192 };
const bitString = 0x03;

/**
 * Limits the groups that a device may choose, at sign-in and when it changes keys later. Replaces what ssh2 1.17 does with a group
 * (`DHGroupExchange` in lib/protocol/kex.js) for this connection, because ssh2 has no setting for it.
 *
 * @param client after its `connect`, before it has received anything
 */
export function limitGroupExchange(
  client: Client,
  { name, credentials }: Pick<Target, 'name' | 'credentials'>,
): void {
  const most = credentials.legacySsh ? mostBits.legacySsh : mostBits.usual;
  let current: object | undefined;
  // ssh2 assigns each exchange to `_kex` before it sends the first message of that exchange.
  Object.defineProperty(Reflect.get(client, '_protocol'), '_kex', {
    get: () => current,
    set(exchange: object | undefined) {
      current = exchange;
      if (exchange === undefined || Reflect.get(exchange, 'type') !== 'groupex') return;
      const setDHParams = (prime: Buffer, generator: Buffer) => {
        const keys = acceptedKeys(name, { prime, generator, most });
        // ssh2 generates no keys if there are some.
        Object.assign(exchange, { _dh: keys, _public: keys.publicKey });
      };
      Object.assign(exchange, { _prefBits: requestedBits, _maxBits: most, setDHParams });
    },
  });
}

/** @throws DeviceRejected */
function acceptedKeys(
  device: string,
  { prime, generator, most }: { prime: Buffer; generator: Buffer; most: number },
) {
  const p = withoutZeros(prime);
  const bits = p.length * 8 + 24 - Math.clz32(p[0] ?? 0xff);
  if (bits < leastBits || bits > most) {
    const what = `chose a Diffie-Hellman group of ${bits} bits; skolo accepts ${leastBits} to ${most}`;
    const isLegacy = bits > most && bits <= mostBits.legacySsh;
    const remedy = isLegacy ? 'set legacySsh: true in its login' : 'enable another key exchange';
    throw new DeviceRejected(device, `${what}; ${remedy}`);
  }
  try {
    return keysOf(p, generator);
  } catch (cause) {
    const what = 'chose an invalid Diffie-Hellman group; enable another key exchange';
    throw new DeviceRejected(device, what, { cause });
  }
}

/**
 * New keys in a group, as ssh2 uses a `DiffieHellman` of Node. This and `computeSecret` each take one power modulo the prime.
 *
 * @throws Error The prime is even, or the generator is below 2 or above 2³¹.
 */
export function keysOf(prime: Buffer, generator: Buffer) {
  const g = withoutZeros(generator);
  const base = g.length > 4 ? 0 : g.readUIntBE(0, g.length);
  if (base < 2) throw new RangeError('the generator is not between 2 and 2³¹');
  const own = generateKeyPairSync('dh', { prime, generator: base });
  // RFC 5280, section 4.1: the algorithm, with the group, and the public key.
  const [info] = elements(own.publicKey.export({ type: 'spki', format: 'der' }));
  const [algorithm, key] = elements(contentOf(info, tags.sequence));
  const [publicKey] = elements(contentOf(key, bitString).subarray(1));
  return {
    publicKey: contentOf(publicKey, tags.integer),
    getPrime: () => prime,
    getGenerator: () => g,
    /** @throws Error The other public key is not between 1 and the prime less 1. */
    computeSecret(otherPublicKey: Buffer): Buffer {
      const other = withoutZeros(otherPublicKey);
      const sign = Buffer.alloc((other[0] ?? 0xff) >> 7);
      const parameters = der(tags.sequence, contentOf(algorithm, tags.sequence));
      const encoded = der(bitString, Buffer.of(0), der(tags.integer, sign, other));
      const otherInfo = der(tags.sequence, parameters, encoded);
      return diffieHellman({
        privateKey: own.privateKey,
        publicKey: createPublicKey({ key: otherInfo, type: 'spki', format: 'der' }),
      });
    },
  };
}

function withoutZeros(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  return number.subarray(first < 0 ? number.length : first);
}

/** The length is not always as short as it could be, which OpenSSL accepts. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, 0x82, content.length >> 8, content.length & 0xff), content]);
}
