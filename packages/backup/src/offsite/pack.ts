/**
 * Packs content for off-site storage: compresses it with gzip, then encrypts it with age. And unpacks it.
 *
 * Objects have names that anybody may list, so a name must not show whether a guess is the content. It contains a digest that is keyed
 * with a nonce. The nonce is in the object, as a comment of an empty gzip member in front of the content, so everybody who can read the
 * object can verify it.
 */
import { createHash, createHmac, type Hash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { errorCode } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import type { Content } from '@skolo/equipment/models/backup';
import { BackupError } from '@skolo/equipment/models/configuration';
import { hashed, pieces } from '../git/fast-import.ts';
import { notStored } from '../git/storage-error.ts';
import { nonceLength } from '../history/commit-message.ts';
import { decryptWith, encryptTo } from './age.ts';
import type { NamedObject } from './name.ts';

interface Packed {
  /** The caller must remove it. */
  file: string;
  /** Of the file. */
  size: number;
  /** For its name: 40 hex digits. */
  digest: string;
}

/** RFC 1952: a header with a comment, and a deflate block, CRC and length of no content. */
const memberStart = Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 0xff]);
const memberEnd = Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/**
 * Streams to a temporary file, mode 0600. The digest is the same for the same content and nonce.
 *
 * @throws BackupError `storage`; if aborted, the signal's reason. The file is removed.
 */
export async function pack(
  content: Content,
  { recipients, nonce, folder, signal }: PackOptions,
): Promise<Packed> {
  const file = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
  const hash = createHmac('sha256', nonce);
  const source = Readable.from(hashed(pieces(content), hash));
  async function* withNonce(chunks: AsyncIterable<Uint8Array>) {
    yield Buffer.concat([memberStart, Buffer.from(nonce), memberEnd]);
    yield* chunks;
  }
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  try {
    const gzip = createGzip();
    if (recipients === 'none') await pipeline(source, gzip, withNonce, target, { signal });
    else await pipeline(source, gzip, withNonce, encryptTo(recipients), target, { signal });
    return { file, size: (await stat(file)).size, digest: digestOf(hash) };
  } catch (error) {
    await end(target);
    await rm(file, { force: true }).catch(() => undefined);
    signal?.throwIfAborted();
    throw notStored(`${folder}: a copy cannot be prepared`, error);
  }
}

/** It may not have started yet, and be about to create its file. */
async function end(target: Writable): Promise<void> {
  target.on('error', () => undefined).destroy();
  if (!target.closed) await new Promise<void>((resolve) => target.once('close', () => resolve()));
}

interface PackOptions {
  /** age recipients; `none` stores it unencrypted. */
  recipients: readonly string[] | 'none';
  /** Of the version, in hex. */
  nonce: string;
  folder: string;
  signal?: AbortSignal | undefined;
}

/**
 * An object's content, exactly as read from the device.
 *
 * @param what for people: the object
 * @throws BackupError `no-key`, or `damaged`: it does not match its name
 */
export async function unpack(
  object: Uint8Array,
  { encrypted, digest }: Pick<NamedObject, 'encrypted' | 'digest'>,
  { identities, what }: { identities: readonly Secret[]; what: string },
): Promise<Buffer> {
  let packed = Buffer.from(object);
  let content: Buffer;
  try {
    if (encrypted) packed = await buffer(decryptWith(identities, what)(Readable.from([object])));
    content = await pipeline(Readable.from([packed]), createGunzip(), buffer);
  } catch (error) {
    if (error instanceof BackupError) throw error;
    const why = errorCode(error)?.startsWith('Z_') ? 'the content is damaged' : String(error);
    throw new BackupError('damaged', `${what} cannot be unpacked: ${why}`, { cause: error });
  }
  const nonce = nonceOf(packed);
  const digests = [
    nonce === undefined
      ? // An object of an earlier release.
        createHash('sha1').update(content).digest('hex')
      : digestOf(createHmac('sha256', nonce).update(content)),
    // An archive of the jumphost.
    digestOf(createHash('sha256').update(object)),
  ];
  if (digests.includes(digest)) return content;
  throw new BackupError('damaged', `${what}: its content does not match its name`);
}

function nonceOf(packed: Buffer): string | undefined {
  const end = memberStart.length + nonceLength;
  const isOurs =
    packed.subarray(0, memberStart.length).equals(memberStart) &&
    packed.subarray(end, end + memberEnd.length).equals(memberEnd);
  return isOurs ? packed.toString('latin1', memberStart.length, end) : undefined;
}

/** As long as a SHA-1, for which names have room. */
function digestOf(hash: Pick<Hash, 'digest'>): string {
  return hash.digest('hex').slice(0, 40);
}
