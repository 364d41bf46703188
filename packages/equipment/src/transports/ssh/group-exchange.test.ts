/** Groups that a device chooses: of any size, not prime, replaced on the way, and those of OpenSSH's server. */
import { createDiffieHellmanGroup } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processorTime, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { DeviceRejected, DeviceUnreachable } from '../errors.ts';
import { failsWith, openCommands, sshdTarget } from '../testing/sessions.ts';
import { bitsIn, startGroupRelay, startGroupServer } from '../testing/ssh-packets.ts';
import { startSshd } from '../testing/sshd.ts';
import { deps, soon, target } from '../testing/targets.ts';
import { keysOf } from './group-exchange.ts';

function bytesOf(number: bigint): Buffer {
  const digits = number.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
}

/** 2ⁿ - 1: prime for n = 3217, 4253, 4423 and 23209, and composite for most other n (https://oeis.org/A000043). */
function mersenne(n: number): Buffer {
  return bytesOf(2n ** BigInt(n) - 1n);
}

const two = Buffer.of(2);

/** Far less than one check whether a number of 3072 bits is prime takes anywhere. */
const mostMs = 700;

describe('a device that chooses a group', () => {
  it.each([
    ['a prime that Node checks for minutes', 23_209, false, 'enable another key exchange'],
    ['a prime that Node checks for minutes', 23_209, true, 'enable another key exchange'],
    ['a prime above the limit', 4423, false, 'set legacySsh: true in its login'],
    ['one bit too many', 4097, false, 'set legacySsh: true in its login'],
    ['one bit too many', 8193, true, 'enable another key exchange'],
    ['one bit too few', 2047, false, 'enable another key exchange'],
    ['a group that anybody can break', 512, true, 'enable another key exchange'],
    ['nothing', 0, true, 'enable another key exchange'],
  ])('is rejected: %s (%d bits, legacySsh: %s)', async (_what, bits, legacySsh, remedy) => {
    const server = await startGroupServer({ prime: mersenne(bits), generator: two });
    const sessionDeps = await deps();

    const { ms } = await processorTime(mostMs, () =>
      failsWith(
        openCommands(target(server.port, { legacySsh }), sessionDeps),
        DeviceRejected,
        new RegExp(
          `^switch-1: chose a Diffie-Hellman group of ${bits} bits; skolo accepts 2048 to ${legacySsh ? 8192 : 4096}; ${remedy}$`,
        ),
      ),
    );

    expect(server.seen.publicKey).toBeUndefined();
    expect(ms).toBeLessThan(mostMs);
  });

  it.each([
    ['a prime', mersenne(3217), two, false],
    ['a power of two less one', mersenne(2048), two, false],
    ['a product of small numbers', bytesOf(3n ** 2584n), two, false],
    ['a large composite number', mersenne(8192), two, true],
    ['a large generator', mersenne(3217), Buffer.from('7fffffff', 'hex'), false],
    ['superfluous zeros', Buffer.concat([Buffer.alloc(3000), mersenne(2203)]), two, false],
  ])('gets a public key, prime or not: %s', async (_what, prime, generator, legacySsh) => {
    const server = await startGroupServer({ prime, generator });
    const sessionDeps = await deps();

    const { ms } = await processorTime(mostMs, () =>
      failsWith(
        openCommands(target(server.port, { legacySsh }), sessionDeps),
        DeviceUnreachable,
        'closed the connection',
      ),
    );

    expect(bitsIn(server.seen.publicKey ?? Buffer.alloc(0))).toBeGreaterThan(1);
    expect(ms).toBeLessThan(mostMs);
  });

  it.each([
    ['an even number', bytesOf(2n ** 3000n), two],
    ['a generator of 0', mersenne(3217), Buffer.of(0)],
    ['a generator of 1', mersenne(3217), Buffer.of(0, 1)],
    ['no generator', mersenne(3217), Buffer.alloc(0)],
    ['a generator that is too large', mersenne(3217), Buffer.from('80000000', 'hex')],
    ['a generator of 30 kB', mersenne(3217), Buffer.alloc(30_000, 0x55)],
  ])('is rejected without a public key: %s', async (_what, prime, generator) => {
    const server = await startGroupServer({ prime, generator });

    const opened = openCommands(target(server.port), await deps());

    await failsWith(opened, DeviceRejected, 'switch-1: chose an invalid Diffie-Hellman group');
    expect(server.seen.publicKey).toBeUndefined();
  });

  it.each([
    [false, 4096],
    [true, 8192],
  ])('is asked for 3072 bits, and last (legacySsh: %s)', async (legacySsh, most) => {
    const server = await startGroupServer({ prime: mersenne(9000), generator: two });

    await expect(openCommands(target(server.port, { legacySsh }), await deps())).rejects.toThrow();

    // Its only cipher has 256 bits, for which ssh2 would ask for 8192.
    expect(server.seen.request).toEqual([2048, 3072, most]);
    const [exchanges = '', , ciphers = ''] = server.seen.offers;
    const named = exchanges.split(',').filter((name) => /^(curve|ecdh)|-sha(256|512)$/.test(name));
    expect(named.at(-1)).toBe('diffie-hellman-group-exchange-sha256');
    expect(ciphers).toMatch(/^aes128-gcm@openssh\.com,aes128-ctr,aes256/);
  });
});

describe('keys in a group', () => {
  it("agree with Node's, whatever zeros they begin with", () => {
    const node = createDiffieHellmanGroup('modp14');
    for (let time = 0; time < 300; time += 1) {
      const publicKey = node.generateKeys();
      const own = keysOf(node.getPrime(), node.getGenerator());
      const secret = own.computeSecret(Buffer.concat([Buffer.alloc(time % 3), publicKey]));
      const [zero] = own.publicKey;

      const theirs = node.computeSecret(own.publicKey.subarray(zero === 0 ? 1 : 0));

      expect(secret.equals(theirs)).toBe(true);
    }
  });

  it.each([
    ['0', () => Buffer.of(0)],
    ['1', () => Buffer.of(1)],
    ['the prime less one', (prime: Buffer) => bytesOf(BigInt(`0x${prime.toString('hex')}`) - 1n)],
    ['the prime', (prime: Buffer) => prime],
    ['longer than any prime', () => Buffer.alloc(34_000, 0x11)],
    ['nothing', () => Buffer.alloc(0)],
  ])('agree with no public key that is %s (RFC 4419, section 3)', (_what, keyIn) => {
    const prime = createDiffieHellmanGroup('modp14').getPrime();

    expect(() => keysOf(prime, two).computeSecret(keyIn(prime))).toThrow(
      /pubkey|Deriving bits failed/,
    );
  });
});

const moduli = '/etc/ssh/moduli';

describe.skipIf(lacks('sshd') ?? (!existsSync(moduli) && 'sshd has no moduli here'))(
  "OpenSSH's server",
  () => {
    const kex = 'KexAlgorithms diffie-hellman-group-exchange-sha256';
    /** Only with groups of this many bits. */
    async function startWith(bits: number, ...lines: string[]) {
      const file = join(await tempDir(), 'moduli');
      // moduli(5): the fifth field is the number of bits, less one.
      const isWanted = (line: string) => line.split(' ')[4] === String(bits - 1);
      const groups = (await readFile(moduli, 'utf8')).split('\n').filter(isWanted);
      await writeFile(file, `${groups.join('\n')}\n`);
      return await startSshd([kex, `ModuliFile ${file}`, ...lines]);
    }

    it.each([
      [2048, false, 'aes128-ctr', 2048],
      [3072, false, 'aes256-ctr', 3072],
      [4096, false, 'aes256-gcm@openssh.com', 4096],
      // It has another one for clients that accept none in the file.
      [8192, false, 'aes256-ctr', 4096],
      [8192, true, 'aes256-cbc', 8192],
    ])('with groups of %d bits (legacySsh: %s, %s)', async (bits, legacySsh, cipher, chosen) => {
      const sshd = await startWith(bits, `Ciphers ${cipher}`);
      const groups: number[] = [];
      const relay = await startGroupRelay(sshd.port, (prime) => groups.push(bitsIn(prime)));
      const to = sshdTarget({ ...sshd, port: relay.port });
      const sessionDeps = await deps();

      const own = chosen === 8192 ? 2 * mostMs : mostMs;
      const { ms } = await processorTime(own, async () => {
        const session = await openCommands(
          { ...to, credentials: { ...to.credentials, legacySsh } },
          sessionDeps,
        );
        expect(await session.exec('echo done', { signal: soon() })).toMatchObject({
          stdout: 'done\n',
        });
      });

      expect([...new Set(groups)]).toEqual([chosen]);
      expect(ms).toBeLessThan(own);
    });

    it('changes keys during a session', async () => {
      const sshd = await startWith(3072, 'RekeyLimit 256K');
      const session = await openCommands(sshdTarget(sshd));

      const { ms } = await processorTime(4 * mostMs, async () => {
        const options = { signal: soon(), timeoutMs: 120_000 };
        const { stdout } = await session.execBytes('head -c 2000000 /dev/zero', options);
        expect(stdout.length).toBe(2_000_000);
      });

      // At least seven exchanges: with a check each, it would be far more than 7 * mostMs.
      expect(ms).toBeLessThan(4 * mostMs);
    });

    it('is not signed in to if the group was replaced on the way', async () => {
      const sshd = await startWith(2048);
      const relay = await startGroupRelay(sshd.port, (prime) => {
        prime.writeUInt8(prime.readUInt8(100) ^ 0x10, 100);
      });
      const connected: unknown[] = [];
      const sessionDeps = await deps({ onConnected: (facts) => connected.push(facts) });

      const opened = openCommands(sshdTarget({ ...sshd, port: relay.port }), sessionDeps);

      await expect(opened).rejects.toThrow(/signature verification failed|bad signature/);
      expect(connected).toEqual([]);
    });
  },
);
