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
import { decryptWith } from './age.ts';
import { copyKey, noNonce } from './copy-key.ts';
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
  /** Whether it is an archive of the jumphost, whose digest is that of the stored bytes. */
  isArchive?: boolean;
  /** Called once the content has ended. @throws BackupError It must not be used. */
  admit(isAuthenticated: boolean): void;
}

/** An archive of files that compresses better is not genuine. */
const mostExpansion = 100;

/**
 * The content of an object, exactly as read from the device.
 *
 * @throws BackupError `no-key`; `damaged`: it does not match its name, or is too large; and of `admit`
 */
export async function* unpacked(
  object: AsyncIterable<Uint8Array>,
  about: Pick<NamedObject, 'encrypted' | 'digest' | 'device' | 'day'>,
  options: UnpackOptions,
): AsyncGenerator<Uint8Array> {
  const { identities, backupKey, what, isArchive = false, admit } = options;
  const keyed = (nonce: string) =>
    backupKey && createHmac('sha256', copyKey(backupKey, { ...about, nonce }));
  const sealed = new Digests(keyed(noNonce), createHash('sha256'));
  let content = new Digests(undefined, createHash('sha1'));
  const pieces = bounded(object, sealed, options);
  const rest = async () => {
    for (let next = await pieces.next(); !next.done; ) next = await pieces.next();
  };
  const packed = about.encrypted ? decryptWith(identities, what)(open(pieces)) : open(pieces);
  const plain = withNonce(packed, (nonce) => {
    content = new Digests(keyed(nonce), createHmac('sha256', nonce));
  });
  try {
    for await (const chunk of limited(gunzipped(plain), options)) {
      content.update(chunk);
      yield chunk;
    }
    await rest();
  } catch (error) {
    if (!(error instanceof BackupError)) {
      const why = errorCode(error)?.startsWith('Z_') ? 'the content is damaged' : String(error);
      throw new BackupError('damaged', `${what} cannot be unpacked: ${why}`, { cause: error });
    }
    if (error.code !== 'no-key' || !isArchive) throw error;
    // Of an archive for somebody else, it is still known whether the rack made it.
    await rest();
    verdict(sealed.verdict(about.digest));
    throw error;
  } finally {
    await pieces.return(undefined);
  }
  verdict(sealed.verdict(about.digest) ?? content.verdict(about.digest));

  function verdict(isAuthenticated: boolean | undefined): void {
    if (isAuthenticated === undefined)
      throw new BackupError('damaged', `${what}: its content does not match its name`);
    admit(isAuthenticated);
  }
}

/** Digests of the same bytes: keyed with the rack's backup key, and as without one. */
class Digests {
  private readonly keyed: Hmac | undefined;
  private readonly plain: Hash | Hmac;

  constructor(keyed: Hmac | undefined, plain: Hash | Hmac) {
    this.keyed = keyed;
    this.plain = plain;
  }

  update(bytes: Uint8Array): void {
    this.keyed?.update(bytes);
    this.plain.update(bytes);
  }

  /** Whether the rack made what has this digest; undefined if something else has it. At the end, once. */
  verdict(digest: string): boolean | undefined {
    if (this.keyed !== undefined && digestOf(this.keyed) === digest) return true;
    return digestOf(this.plain) === digest ? false : undefined;
  }
}

async function* bounded(
  object: AsyncIterable<Uint8Array>,
  digests: Digests,
  { packedSize, what }: UnpackOptions,
): AsyncGenerator<Uint8Array, undefined> {
  let size = 0;
  for await (const chunk of object) {
    size += chunk.length;
    if (size > packedSize) throw new BackupError('damaged', `${what} changed while it was read`);
    digests.update(chunk);
    yield chunk;
  }
}

/** The same, but whoever stops reading it does not close it. */
async function* open(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
}

/** @param notice called before the content, unless an earlier release made it */
async function* withNonce(
  packed: AsyncIterable<Uint8Array>,
  notice: (nonce: string) => void,
): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of packed) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < nonceMemberLength) continue;
    const nonce = nonceOf(head);
    if (nonce !== undefined) notice(nonce);
    yield head;
    head = undefined;
  }
  if (head !== undefined) yield head;
}

function gunzipped(packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // Its errors reach whoever reads it.
  return pipeline(Readable.from(packed), createGunzip(), () => undefined);
}

async function* limited(
  content: AsyncIterable<Uint8Array>,
  { packedSize, isArchive, what }: UnpackOptions,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  let most: number | undefined;
  for await (const chunk of content) {
    most ??= mostBytes(chunk, packedSize, isArchive);
    size += chunk.length;
    if (size > most)
      throw new BackupError('damaged', `${what}: its content is larger than ${most} bytes`);
    yield chunk;
  }
}

/** Equipment sends either text or, from a disk, an archive of files. */
function mostBytes(start: Uint8Array, packedSize: number, isArchive = false): number {
  const expanded = mostExpansion * packedSize;
  if (isArchive) return expanded;
  const isTar = Buffer.from(start.subarray(257, 262)).toString('latin1') === 'ustar';
  return isTar ? Math.max(limits.configuration.bytes, expanded) : limits.configuration.bytes;
}
