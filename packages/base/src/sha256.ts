/** Computes digests: SHA-256 of text, bytes and files; fingerprints of public keys. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** SHA-256 of `data` in hexadecimal; text is encoded as UTF-8. */
export function sha256(data: string | Uint8Array): string {
  return sha256Bytes(data).toString('hex');
}

/** SHA-256 of `data` as bytes, to be compared in constant time; text is encoded as UTF-8. */
export function sha256Bytes(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

/** SHA-256 of a file in hexadecimal. Reads it in pieces, because it may be larger than memory. */
export async function sha256OfFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest('hex');
}

/** Fingerprint of a public key, in the format of `ssh-keygen -l`. */
export function keyFingerprint(key: Uint8Array): string {
  return `SHA256:${sha256Bytes(key).toString('base64').replace(/=+$/, '')}`;
}
