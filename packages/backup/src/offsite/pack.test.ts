import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { newNonce } from '../history/commit-message.ts';
import { newKeyPair, run, sha1Of } from '../testing/offsite.ts';
import { pack } from './pack.ts';
import { type Match, unpacked } from './unpack.ts';

const content = Buffer.from('interface eth0\n');
/** The digest in names of earlier releases. */
const digest = sha1Of(content);
const nonce = newNonce();

const device = 'router';
const day = '2026-11-20';
const time = `${day}T03:15:00Z`;

interface Opening {
  identities: readonly Secret[];
  what: string;
  backupKey?: Secret;
  isArchive?: boolean;
}

/** The content, and how it matches its name. */
async function opened(
  object: Buffer,
  about: { encrypted: boolean; digest: string; device?: string; day?: string },
  options: Opening,
): Promise<{ content: Buffer; match: Match | undefined }> {
  let match: Match | undefined;
  const admit = (is: Match) => {
    match = is;
  };
  const given = { ...options, packedSize: object.length, admit };
  const pieces = unpacked(Readable.from([object]), { device, day, ...about }, given);
  return { content: await buffer(pieces), match };
}

async function unpack(...args: Parameters<typeof opened>): Promise<Buffer> {
  return (await opened(...args)).content;
}

/** The beginning of a tar, as far as that shows what it is. */
function tarOfZeros(size: number): Buffer {
  const bytes = Buffer.alloc(Math.max(size, 512));
  bytes.write('ustar', 257);
  return bytes;
}

describe('pack', () => {
  it('makes a file that gunzip opens, where nothing is to be encrypted', async () => {
    const folder = await tempDir();

    const packed = await pack({ bytes: content }, { recipients: 'none', nonce, folder });

    expect(packed.size).toBe((await stat(packed.file)).size);
    expect((await stat(packed.file)).mode & 0o777).toBe(0o600);
    const { stdout } = await run('sh', ['-c', 'gunzip < "$1"', 'sh', packed.file]);
    expect(stdout).toBe(content.toString());
  });

  it("makes a file that Debian's age and gunzip open", async (context) => {
    const age = peer('age');
    if (!age) return context.skip('age is not installed');
    const folder = await tempDir();
    const { identity, recipient } = await newKeyPair();
    await writeFile(join(folder, 'identity'), identity.reveal());

    const { file } = await pack({ bytes: content }, { recipients: [recipient], nonce, folder });

    const script = '"$1" -d -i "$2" "$3" | gunzip';
    const { stdout } = await run('sh', ['-c', script, 'sh', age, join(folder, 'identity'), file]);
    expect(stdout).toBe(content.toString());
  });

  it('takes a file a little at a time', async () => {
    const folder = await tempDir();
    const { identity, recipient } = await newKeyPair();
    const large = Buffer.concat([tarOfZeros(512), randomBytes(5_000_000)]);
    await writeFile(join(folder, 'large'), large);
    const from = { file: join(folder, 'large'), size: large.length };

    const packed = await pack(from, { recipients: [recipient], nonce, folder });

    const back = await unpack(
      await readFile(packed.file),
      { encrypted: true, digest: packed.digest },
      { identities: [identity], what: 'it' },
    );
    expect(back.equals(large)).toBe(true);
  });

  it.each(['none', 'an identity'])(
    'has a digest, and bytes, that show nobody without the object whether a guess is right: %s',
    async (how) => {
      const folder = await tempDir();
      const { identity, recipient } = await newKeyPair();
      const recipients = how === 'none' ? how : [recipient];
      const packed = async (nonce: string, text = content) => {
        const { file, digest } = await pack({ bytes: text }, { recipients, nonce, folder });
        return { object: await readFile(file), digest };
      };
      const about = { identities: [identity], what: 'it' };
      const encrypted = how !== 'none';

      const [one, again, other] = [
        await packed(nonce),
        await packed(nonce),
        await packed(newNonce()),
      ];

      expect(one.digest).toBe(again.digest);
      expect(one.digest).not.toBe(other.digest);
      expect(sha1Of(one.object)).not.toBe(sha1Of(other.object));
      expect(await unpack(one.object, { encrypted, ...one }, about)).toEqual(content);
    },
  );

  it('leaves nothing where it fails', async () => {
    const folder = await tempDir();
    const gone = { file: join(folder, 'gone'), size: 5 };
    const aborted = AbortSignal.abort(new Error('stopped'));

    await expect(pack(gone, { recipients: 'none', nonce, folder })).rejects.toMatchObject({
      code: 'storage',
    });
    await expect(
      pack({ bytes: content }, { recipients: 'none', nonce, folder, signal: aborted }),
    ).rejects.toThrow('stopped');
    await expect(
      pack({ bytes: content }, { recipients: 'none', nonce, folder: join(folder, 'nowhere') }),
    ).rejects.toMatchObject({ code: 'storage' });
    await expect(
      pack({ bytes: content }, { recipients: ['age1nobody'], nonce, folder }),
    ).rejects.toMatchObject({ code: 'rejected' });

    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a copy that was made with the backup key', () => {
  const backupKey = new Secret('of the rack');
  const other = new Secret('of another rack');

  async function make(recipients: string[] | 'none', key: Secret | undefined) {
    const folder = await tempDir();
    const authenticated = key && { backupKey: key, device, time };
    const options = { recipients, nonce, authenticated, folder };
    const { file, digest } = await pack({ bytes: content }, options);
    return { object: await readFile(file), digest };
  }

  it.each(['none', 'an identity'])('is recognised by that key alone: %s', async (how) => {
    const { identity, recipient } = await newKeyPair();
    const made = await make(how === 'none' ? how : [recipient], backupKey);
    const encrypted = how !== 'none';
    const about = { encrypted, digest: made.digest };
    const options = { identities: [identity], what: 'it' };
    const ending = new Secret(`${backupKey.reveal()}\n`);

    expect(await opened(made.object, about, { ...options, backupKey: ending })).toEqual({
      content,
      match: 'authenticated',
    });
    for (const [given, as] of [
      [{ ...options, backupKey: other }, about],
      [
        { ...options, backupKey },
        { ...about, device: 'switch-1' },
      ],
      [
        { ...options, backupKey },
        { ...about, day: '2026-11-21' },
      ],
    ] as const) {
      await expect(opened(made.object, as, given)).rejects.toMatchObject({
        code: 'damaged',
        message: expect.stringContaining('or was made with another backup-key'),
      });
    }
    expect(await opened(made.object, about, options)).toEqual({ content, match: 'unknown' });
  });

  it('differs from every copy without it', async () => {
    const { identity, recipient } = await newKeyPair();
    const recipients = [recipient];
    const foreign = await make(recipients, undefined);
    const options = { identities: [identity], what: 'it', backupKey };
    const stolen = await make(recipients, other);
    const about = (digest: string) => ({ encrypted: true, digest });
    expect(await opened(foreign.object, about(foreign.digest), options)).toMatchObject({
      match: 'verified',
    });
    await expect(opened(stolen.object, about(stolen.digest), options)).rejects.toMatchObject({
      code: 'damaged',
    });
  });
});

describe('unpack', () => {
  it.each([
    ['text', Buffer.alloc(5 << 20), false],
    ['an archive of files', tarOfZeros(65 << 20), false],
    ['an archive of the jumphost', tarOfZeros(1 << 20), true],
  ])(
    'ends before the content of a small object fills memory or disk: %s',
    async (_what, large, isArchive) => {
      const object = gzipSync(large);
      const about = { encrypted: false, digest: sha1Of(large) };

      const unpacking = unpack(object, about, { identities: [], what: 'it', isArchive });

      await expect(unpacking).rejects.toMatchObject({
        code: 'damaged',
        message: expect.stringMatching(/^it: its content is larger than \d+ bytes$/),
      });
    },
  );

  it('opens an archive of files that is larger than any text', async () => {
    const large = Buffer.concat([tarOfZeros(512), randomBytes(5 << 20)]);
    const about = { encrypted: false, digest: sha1Of(large) };

    const back = await unpack(gzipSync(large), about, { identities: [], what: 'it' });

    expect(back.equals(large)).toBe(true);
  });

  it('opens an archive of files that is mostly zeros, or arrives in small pieces', async () => {
    const zeros = tarOfZeros(6 << 20);
    const about = { encrypted: false, digest: sha1Of(zeros) };
    const pieces = [zeros.subarray(0, 120), zeros.subarray(120, 200), zeros.subarray(200)];
    const members = Buffer.concat(pieces.map((piece) => gzipSync(piece)));

    for (const object of [gzipSync(zeros), members]) {
      const back = await unpack(object, about, { identities: [], what: 'it' });
      expect(back.equals(zeros)).toBe(true);
    }
  });

  it('ends before an age header of any length costs time', async () => {
    const stanza = `-> X25519 ${'A'.repeat(43)}\n${'A'.repeat(43)}\n`;
    const object = Buffer.from(
      `age-encryption.org/v1\n${stanza.repeat(20_000)}--- ${'A'.repeat(43)}\n`,
    );
    const { identity } = await newKeyPair();

    const unpacking = unpack(
      object,
      { encrypted: true, digest },
      { identities: [identity], what: 'it' },
    );

    await expect(unpacking).rejects.toMatchObject({
      code: 'damaged',
      message: 'it: its age header is too large',
    });
  });

  it('opens what older software compressed', async () => {
    const back = await unpack(
      gzipSync(content, { level: 1 }),
      { encrypted: false, digest },
      { identities: [], what: 'it' },
    );

    expect(back.equals(content)).toBe(true);
  });

  it('opens an archive of the jumphost, whose name has the digest of what is stored', async () => {
    const folder = await tempDir();
    const { identity, recipient } = await newKeyPair();
    const { file } = await pack({ bytes: content }, { recipients: [recipient], nonce, folder });
    const object = await readFile(file);
    const digest = createHash('sha256').update(object).digest('hex').slice(0, 40);

    const back = await unpack(
      object,
      { encrypted: true, digest },
      { identities: [identity], what: 'it' },
    );

    expect(back.equals(content)).toBe(true);
  });

  it.each([
    ['cut', (packed: Buffer) => packed.subarray(0, -3)],
    ['changed', (packed: Buffer) => Buffer.from(packed).fill(0, 12, 14)],
    ['of another content', () => gzipSync('interface eth1\n')],
    ['not compressed', () => content],
    ['empty', () => Buffer.alloc(0)],
  ])('calls it damaged where it is %s', async (_what, broken) => {
    const object = broken(gzipSync(content));

    const unpacking = unpack(
      object,
      { encrypted: false, digest },
      { identities: [], what: 'gs://backups/a.gz' },
    );

    await expect(unpacking).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringMatching(/^gs:\/\/backups\/a\.gz/),
    });
  });

  it('calls a cut ciphertext damaged, and asks for the identity where it is another', async () => {
    const folder = await tempDir();
    const [ann, eve] = await Promise.all([newKeyPair(), newKeyPair()]);
    const recipients = [ann.recipient];
    const { file, digest } = await pack({ bytes: content }, { recipients, nonce, folder });
    const opened = async (identities: (typeof ann.identity)[]) =>
      unpack(await readFile(file), { encrypted: true, digest }, { identities, what: 'it' });

    await expect(opened([eve.identity])).rejects.toMatchObject({ code: 'no-key' });
    await truncate(file, (await stat(file)).size - 1);
    await expect(opened([ann.identity])).rejects.toMatchObject({ code: 'damaged' });
  });
});
