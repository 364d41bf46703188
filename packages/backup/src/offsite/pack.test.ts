import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { newKeyPair, run, sha1Of } from '../testing/offsite.ts';
import { pack, unpack } from './pack.ts';

const content = Buffer.from('interface eth0\n');
const sha1 = sha1Of(content);

describe('pack', () => {
  it('makes a file that gunzip opens, where nothing is to be encrypted', async () => {
    const folder = await tempDir();

    const packed = await pack({ bytes: content }, { recipients: 'none', folder });

    expect(packed).toEqual({ file: packed.file, size: (await stat(packed.file)).size, sha1 });
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

    const { file } = await pack({ bytes: content }, { recipients: [recipient], folder });

    const script = '"$1" -d -i "$2" "$3" | gunzip';
    const { stdout } = await run('sh', ['-c', script, 'sh', age, join(folder, 'identity'), file]);
    expect(stdout).toBe(content.toString());
  });

  it('takes a file a little at a time', async () => {
    const folder = await tempDir();
    const { identity, recipient } = await newKeyPair();
    const large = randomBytes(5_000_000);
    await writeFile(join(folder, 'large'), large);
    const from = { file: join(folder, 'large'), size: large.length };

    const packed = await pack(from, { recipients: [recipient], folder });

    const back = await unpack(
      await readFile(packed.file),
      { encrypted: true, sha1: sha1Of(large) },
      { identities: [identity], what: 'it' },
    );
    expect(back.equals(large)).toBe(true);
  });

  it('leaves nothing where it fails', async () => {
    const folder = await tempDir();
    const gone = { file: join(folder, 'gone'), size: 5 };
    const aborted = AbortSignal.abort(new Error('stopped'));

    await expect(pack(gone, { recipients: 'none', folder })).rejects.toMatchObject({
      code: 'storage',
    });
    await expect(
      pack({ bytes: content }, { recipients: 'none', folder, signal: aborted }),
    ).rejects.toThrow('stopped');
    await expect(
      pack({ bytes: content }, { recipients: 'none', folder: join(folder, 'nowhere') }),
    ).rejects.toMatchObject({ code: 'storage' });
    await expect(
      pack({ bytes: content }, { recipients: ['age1nobody'], folder }),
    ).rejects.toMatchObject({ code: 'rejected' });

    expect(await readdir(folder)).toEqual([]);
  });
});

describe('unpack', () => {
  it('opens what older software compressed', async () => {
    const back = await unpack(
      gzipSync(content, { level: 1 }),
      { encrypted: false, sha1 },
      { identities: [], what: 'it' },
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
      { encrypted: false, sha1 },
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
    const { file } = await pack({ bytes: content }, { recipients: [ann.recipient], folder });
    const opened = async (identities: (typeof ann.identity)[]) =>
      unpack(await readFile(file), { encrypted: true, sha1 }, { identities, what: 'it' });

    await expect(opened([eve.identity])).rejects.toMatchObject({ code: 'no-key' });
    await truncate(file, (await stat(file)).size - 1);
    await expect(opened([ann.identity])).rejects.toMatchObject({ code: 'damaged' });
  });
});
