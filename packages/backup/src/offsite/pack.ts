/**
 * Packs content for off-site storage: compresses it with gzip, then encrypts it with age.
 *
 * Objects have names that anybody may list, so a name must not show whether a guess is the content. It contains a digest that is keyed
 * with a nonce, and with the backup key if the rack has one. The nonce is in the object, as a comment of an empty gzip member in front of
 * the content, so that readers can verify it.
 */
import { createHash, createHmac, type Hash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Secret } from '@skolo/base/secrets';
import type { Content } from '@skolo/equipment/models/backup';
import { hashed, pieces } from '../git/fast-import.ts';
import { notStored } from '../git/storage-error.ts';
import { nonceLength } from '../history/commit-message.ts';
import { encryptTo } from './age.ts';
import { copyKey } from './copy-key.ts';

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
  { recipients, nonce, authenticated, folder, signal }: PackOptions,
): Promise<Packed> {
  const file = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
  const key = authenticated && copyKey(authenticated.backupKey, { ...authenticated, nonce });
  const hash = createHmac('sha256', key ?? nonce);
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
  /** Which version it is, and the rack's backup key, with which readers recognise it. */
  authenticated?: Authenticated | undefined;
  folder: string;
  signal?: AbortSignal | undefined;
}

interface Authenticated {
  backupKey: Secret;
  device: string;
  /** RFC 3339, when it was read. */
  time: string;
}

/** The digest for the name of an archive, which is stored as it is. @throws Error The file cannot be read. */
export async function archiveDigest(
  file: string,
  authenticated: Authenticated | undefined,
): Promise<string> {
  const hash =
    authenticated === undefined
      ? // Encryption makes the bytes of each archive different, so this reveals nothing.
        createHash('sha256')
      : createHmac('sha256', copyKey(authenticated.backupKey, authenticated));
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return digestOf(hash);
}

/** The length of what precedes the content. */
export const nonceMemberLength = memberStart.length + nonceLength + memberEnd.length;

/** The nonce in a packed object, or in its beginning; undefined if an earlier release made it. */
export function nonceOf(packed: Buffer): string | undefined {
  const end = memberStart.length + nonceLength;
  const isOurs =
    packed.subarray(0, memberStart.length).equals(memberStart) &&
    packed.subarray(end, end + memberEnd.length).equals(memberEnd);
  return isOurs ? packed.toString('latin1', memberStart.length, end) : undefined;
}

/** As long as a SHA-1, for which names have room. */
export function digestOf(hash: Pick<Hash, 'digest'>): string {
  return hash.digest('hex').slice(0, 40);
}
