import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Secret } from '@skolo/base/secrets';
import { runs, tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newKeyPair, run } from '../testing/offsite.ts';
import { decrypt, encryptTo, parseIdentities } from './age.ts';

const age = peer('age');
const content = Buffer.from('enable password 7 0822455D0A16\n');

async function encrypt(plain: Buffer, recipients: string[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encryptTo(recipients)(Readable.from([plain]))) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('encrypting and decrypting', () => {
  it('gives back what it was given, to whoever has one of the identities', async () => {
    const [ann, bob, eve] = await Promise.all([newKeyPair(), newKeyPair(), newKeyPair()]);

    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200_000 }), async (bytes) => {
        const secret = await encrypt(Buffer.from(bytes), [ann.recipient, bob.recipient]);

        const opened = await decrypt(secret, [eve.identity, bob.identity], 'it');

        expect(opened.equals(bytes)).toBe(true);
      }),
      runs(20),
    );
  });

  it('says what to give where no identity opens it', async () => {
    const [ann, eve] = await Promise.all([newKeyPair(), newKeyPair()]);
    const secret = await encrypt(content, [ann.recipient]);

    await expect(decrypt(secret, [], 'switch-1')).rejects.toMatchObject({
      code: 'no-key',
      message: expect.stringMatching(/^switch-1 is encrypted; specify the identity file/),
    });
    await expect(decrypt(secret, [eve.identity], 'switch-1')).rejects.toMatchObject({
      code: 'no-key',
      message: expect.stringMatching(
        /^switch-1 is not encrypted for the specified identity; specify the/,
      ),
    });
    await expect(decrypt(secret, [eve.identity, eve.identity], 'it')).rejects.toThrow(
      'it is not encrypted for any of the 2 specified identities',
    );
  });

  it('takes nothing that was cut or changed for whole', async () => {
    const ann = await newKeyPair();
    const secret = await encrypt(Buffer.alloc(150_000, 'x'), [ann.recipient]);

    await fc.assert(
      fc.asyncProperty(fc.nat({ max: secret.length - 1 }), fc.boolean(), async (at, cut) => {
        const broken = Buffer.from(cut ? secret.subarray(0, at) : secret);
        if (!cut) broken[at] = (broken[at] ?? 0) ^ 1;

        await expect(decrypt(broken, [ann.identity], 'it')).rejects.toMatchObject({
          name: 'BackupError',
          code: expect.stringMatching(/^(damaged|no-key)$/),
        });
      }),
      runs(60),
    );
  });

  it.each([
    ['the last byte', (secret: Buffer) => secret.subarray(0, -1)],
    ['all but the first piece', (secret: Buffer) => secret.subarray(0, 66_000)],
    ['what is no age file', () => content],
  ])('calls it damaged: %s', async (_what, broken) => {
    const ann = await newKeyPair();
    const secret = await encrypt(Buffer.alloc(150_000, 'x'), [ann.recipient]);

    await expect(decrypt(broken(secret), [ann.identity], 'switch-1')).rejects.toMatchObject({
      code: 'damaged',
      message: 'switch-1 cannot be decrypted, because it is damaged',
    });
  });

  it('encrypts for nobody else than age recipients', () => {
    expect(() => encryptTo([])).toThrow('no age recipient is configured for encryption');
    expect(() => encryptTo(['age1nonsense'])).toThrow('age1nonsense is not an age recipient');
  });
});

it("Debian's age encrypts what we open, with an identity of age-keygen", async (context) => {
  if (!age) return context.skip('age is not installed');
  const dir = await tempDir();
  await run('age-keygen', ['-o', join(dir, 'identity')]);
  const recipient = (await run('age-keygen', ['-y', join(dir, 'identity')])).stdout.trim();
  await writeFile(join(dir, 'plain'), content);
  await run(age, ['-r', recipient, '-o', join(dir, 'secret'), join(dir, 'plain')]);
  const identities = parseIdentities(
    new Secret(await readFile(join(dir, 'identity'), 'utf8')),
    'identity',
  );

  const opened = await decrypt(await readFile(join(dir, 'secret')), identities, 'it');

  expect(opened.equals(content)).toBe(true);
});

describe('parseIdentities', () => {
  it('reads several, with comments, empty lines and the line ends of Windows', async () => {
    const [ann, bob] = await Promise.all([newKeyPair(), newKeyPair()]);
    const file = [
      '# created: 2026-11-20T03:15:00Z',
      `# public key: ${ann.recipient}`,
      ann.identity.reveal(),
      '',
      `  ${bob.identity.reveal()}  `,
    ].join('\r\n');

    const identities = parseIdentities(new Secret(file), 'keys.txt');

    expect(identities.map((identity) => identity.reveal())).toEqual([
      ann.identity.reveal(),
      bob.identity.reveal(),
    ]);
  });

  it.each([
    ['', 'keys.txt does not contain an age identity'],
    ['# only a comment\n', 'keys.txt does not contain an age identity'],
    ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p', 'it is a recipient'],
    ['# key\n-----BEGIN OPENSSH PRIVATE KEY-----', 'keys.txt: line 2 is not an age identity'],
    ['AGE-PLUGIN-YUBIKEY-1QQQQ', 'plugin identities are not supported'],
    [
      'age-encryption.org/v1\n-> scrypt',
      'keys.txt: this identity file is encrypted; decrypt it with age --decrypt',
    ],
  ])('says what is wrong with %j', (file, message) => {
    expect(() => parseIdentities(new Secret(file), 'keys.txt')).toThrow(message);
  });

  it('never quotes what may be a secret', () => {
    const almost = 'AGE-SECRET-KEY-1QQQQQQQQCANARY';

    expect(() => parseIdentities(new Secret(almost), 'keys.txt')).toThrow(
      /^keys\.txt: line 1 is not an age identity \(AGE-SECRET-KEY-1…\)$/,
    );
  });
});
