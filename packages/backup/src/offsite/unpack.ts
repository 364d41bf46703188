/**
 * Unpacks an object, a piece at a time, and decides whether it matches its name, and whether the rack made it. The content must not be used
 * before it has been read to its end, and is never larger than what it can honestly be.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errorCode } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { BackupError, limits } from '@skolo/equipment/models/configuration';
import { hashed } from '../git/fast-import.ts';
import { decryptWith } from './age.ts';
import { afterBeginning } from './beginning.ts';
import { copyKey } from './copy-key.ts';
import type { NamedObject } from './name.ts';
import { digestOf, nonceMemberLength, nonceOf } from './pack.ts';

interface UnpackOptions {
  /** age identities for an encrypted object. */
  identities: readonly Secret[];
  backupKey?: Secret | undefined;
  /** For people: the object. */
  what: string;
  /** Size of the object in bytes, as listed. */
  packedSize: number;
  /** Free space for the content, in bytes. */
  freeBytes?: number;
  /** Whether it is an archive of the jumphost; undefined if that is not known. */
  isArchive?: boolean | undefined;
  /** Called once the content has ended, if it is not known to be damaged. @throws BackupError It must not be used. */
  admit?(match: Match): void;
}

/**
 * How the content matches the digest in the name: keyed with the backup key, or not. Without that key, a keyed digest cannot be
 * compared.
 */
export type Match = 'authenticated' | 'verified' | 'unknown';

type About = Pick<NamedObject, 'encrypted' | 'digest' | 'device' | 'day'>;

/** An archive of files that compresses better is not genuine, unless it is small. */
const mostExpansion = 100;
const smallArchive = 64 << 20;

/**
 * The content of an object, exactly as read from the device.
 *
 * @throws BackupError `no-key`; `damaged`: it does not match its name, or is too large; and of `admit`
 */
export async function* unpacked(
  object: AsyncIterable<Uint8Array>,
  about: About,
  options: UnpackOptions,
): AsyncGenerator<Uint8Array> {
  const { identities, backupKey, what, isArchive, admit } = options;
  const { encrypted, digest, device, day: time } = about;
  const stored = createHash('sha256');
  // Earlier releases used SHA-1.
  let unkeyed: Hash | Hmac = createHash('sha1');
  let keyed: Hmac | undefined;
  let nonce: string | undefined;
  const pieces = hashed(bounded(object, options), stored);
  const packed = encrypted ? decryptWith(identities, what)(pieces) : pieces;
  const plain = afterBeginning(packed, nonceMemberLength, (beginning) => {
    nonce = nonceOf(beginning);
    if (nonce === undefined) return;
    unkeyed = createHmac('sha256', nonce);
    keyed = backupKey && createHmac('sha256', copyKey(backupKey, { nonce, device, time }));
  });
  try {
    for await (const chunk of limited(gunzipped(plain), options)) {
      unkeyed.update(chunk);
      keyed?.update(chunk);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof BackupError) throw error;
    const why = errorCode(error)?.startsWith('Z_') ? 'the content is damaged' : String(error);
    throw new BackupError('damaged', `${what} cannot be unpacked: ${why}`, { cause: error });
  }
  const mayBeKeyed = nonce !== undefined || (encrypted && isArchive !== false);
  if (keyed && digestOf(keyed) === digest) admit?.('authenticated');
  else if ([unkeyed, stored].some((hash) => digestOf(hash) === digest)) admit?.('verified');
  else if (backupKey === undefined && mayBeKeyed) admit?.('unknown');
  else throw differs(what);
}

/** The error of content that matches no digest which its name may have. */
export function differs(what: string): BackupError {
  const why = 'it is damaged, or was made with another backup-key';
  return new BackupError('damaged', `${what}: its content does not match its name; ${why}`);
}

/** Rejects an object that is larger than listed, or than the disk. @throws BackupError `damaged` */
export async function* bounded(
  object: AsyncIterable<Uint8Array>,
  { packedSize, freeBytes = packedSize, what }: Omit<UnpackOptions, 'identities'>,
): AsyncGenerator<Uint8Array, undefined> {
  if (packedSize > freeBytes) throw tooLarge(what);
  let size = 0;
  for await (const chunk of object) {
    size += chunk.length;
    if (size > packedSize) throw new BackupError('damaged', `${what} changed while it was read`);
    yield chunk;
  }
}

function gunzipped(packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // Its errors reach whoever reads it.
  return pipeline(Readable.from(packed), createGunzip(), () => undefined);
}

async function* limited(
  content: AsyncIterable<Uint8Array>,
  { packedSize, freeBytes = Number.POSITIVE_INFINITY, isArchive, what }: UnpackOptions,
): AsyncGenerator<Uint8Array> {
  let most = mostExpansion * packedSize;
  const measured = afterBeginning(content, tarMagic.end, (beginning) => {
    if (isArchive) return;
    // Equipment sends either text or, from a disk, an archive of files.
    const isTar = beginning.toString('latin1', tarMagic.start, tarMagic.end) === 'ustar';
    most = isTar ? Math.max(smallArchive, most) : limits.configuration.bytes;
  });
  let size = 0;
  for await (const chunk of measured) {
    size += chunk.length;
    if (size > most)
      throw new BackupError('damaged', `${what}: its content is larger than ${most} bytes`);
    if (size > freeBytes) throw tooLarge(what);
    yield chunk;
  }
}

function tooLarge(what: string): BackupError {
  return new BackupError('damaged', `${what}: its content does not fit on the disk`);
}

/** The magic of a POSIX header. */
const tarMagic = { start: 257, end: 262 };
