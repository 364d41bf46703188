/** Packs content for off-site storage: compresses, then encrypts it. And unpacks it. */
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { errorCode } from '@skolo/base';
import type { Content } from '@skolo/models/backup';
import { BackupError } from '@skolo/models/configuration';
import type { Secret } from '@skolo/secrets';
import { hashed, pieces } from '../git/fast-import.ts';
import { notStored } from '../git/storage-error.ts';
import { decryptWith, encryptTo } from './age.ts';
import type { NamedObject } from './name.ts';

interface Packed {
  /** The caller must remove it. */
  file: string;
  /** Of the file. */
  size: number;
  /** SHA-1 of the content, in hex. */
  sha1: string;
}

/**
 * Streams to a temporary file, mode 0600.
 *
 * @throws BackupError `storage`; if aborted, the signal's reason. The file is removed.
 */
export async function pack(
  content: Content,
  { recipients, folder, signal }: PackOptions,
): Promise<Packed> {
  const file = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
  const hash = createHash('sha1');
  const source = Readable.from(hashed(pieces(content), hash));
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  try {
    if (recipients === 'none') await pipeline(source, createGzip(), target, { signal });
    else await pipeline(source, createGzip(), encryptTo(recipients), target, { signal });
    return { file, size: (await stat(file)).size, sha1: hash.digest('hex') };
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
  { encrypted, sha1 }: Pick<NamedObject, 'encrypted' | 'sha1'>,
  { identities, what }: { identities: readonly Secret[]; what: string },
): Promise<Buffer> {
  let content: Buffer;
  try {
    const source = Readable.from([object]);
    content = encrypted
      ? await pipeline(source, decryptWith(identities, what), createGunzip(), buffer)
      : await pipeline(source, createGunzip(), buffer);
  } catch (error) {
    if (error instanceof BackupError) throw error;
    const why = errorCode(error)?.startsWith('Z_') ? 'the content is damaged' : String(error);
    throw new BackupError('damaged', `${what} cannot be unpacked: ${why}`, { cause: error });
  }
  const found = createHash('sha1').update(content).digest('hex');
  if (found === sha1) return content;
  throw new BackupError('damaged', `${what}: the SHA-1 of its content is ${found}, not ${sha1}`);
}
