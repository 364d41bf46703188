/** What is stored off site of a content: compressed, then encrypted. And the way back. */
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { errorCode } from '@skolo/errors';
import type { Content } from '@skolo/models/backup';
import { BackupError } from '@skolo/models/configuration';
import type { Secret } from '@skolo/secrets';
import { pieces } from '../fast-import.ts';
import { notStored } from '../storage-error.ts';
import { decryptWith, encryptTo } from './age.ts';
import type { NamedObject } from './name.ts';

export interface Packed {
  /** The caller's to remove. */
  file: string;
  /** Of the file. */
  size: number;
  /** Of the content, in hex. */
  sha1: string;
}

/**
 * Into a temp file, mode 0600, a little at a time.
 *
 * @throws BackupError `storage`; of an aborted signal its reason. Nothing is left of the file.
 */
export async function pack(
  content: Content,
  { recipients, folder, signal }: PackOptions,
): Promise<Packed> {
  const file = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
  const hash = createHash('sha1');
  const source = Readable.from(hashed(pieces(content), hash));
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  const options = signal ? { signal } : {};
  try {
    if (recipients === 'none') await pipeline(source, createGzip(), target, options);
    else await pipeline(source, createGzip(), encryptTo(recipients), target, options);
    return { file, size: (await stat(file)).size, sha1: hash.digest('hex') };
  } catch (error) {
    await end(target);
    await rm(file, { force: true }).catch(() => undefined);
    signal?.throwIfAborted();
    throw notStored(`${folder}: no room to prepare a copy`, error);
  }
}

/** It may not even have been begun, and be about to make its file. */
async function end(target: Writable): Promise<void> {
  target.on('error', () => undefined).destroy();
  if (!target.closed) await new Promise<void>((resolve) => target.once('close', () => resolve()));
}

export interface PackOptions {
  /** Of age; `none` leaves it in the clear. */
  recipients: readonly string[] | 'none';
  folder: string;
  signal?: AbortSignal;
}

/**
 * The content of an object, byte for byte what the device gave.
 *
 * @param what for people: the object
 * @throws BackupError `no-key`, or `damaged`: it is not what its name says
 */
export async function unpack(
  object: Uint8Array,
  { encrypted, sha1 }: Pick<NamedObject, 'encrypted' | 'sha1'>,
  { identities, what }: { identities: readonly Secret[]; what: string },
): Promise<Buffer> {
  const hash = createHash('sha1');
  const chunks: Uint8Array[] = [];
  const collect = async (plain: AsyncIterable<Uint8Array>) => {
    for await (const chunk of hashed(plain, hash)) chunks.push(chunk);
  };
  try {
    const source = Readable.from(inPieces(object));
    if (!encrypted) await pipeline(source, createGunzip(), collect);
    else await pipeline(source, decryptWith(identities, what), createGunzip(), collect);
  } catch (error) {
    if (error instanceof BackupError) throw error;
    const why = errorCode(error)?.startsWith('Z_') ? 'it is damaged' : String(error);
    throw new BackupError('damaged', `${what} cannot be unpacked: ${why}`, { cause: error });
  }
  const found = hash.digest('hex');
  if (found !== sha1) {
    throw new BackupError('damaged', `${what}: its content has the SHA-1 ${found}, not ${sha1}`);
  }
  return Buffer.concat(chunks);
}

async function* hashed<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  hash: Hash,
): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

type Hash = ReturnType<typeof createHash>;

const pieceSize = 1 << 20;

function* inPieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceSize) {
    yield bytes.subarray(start, start + pieceSize);
  }
}
