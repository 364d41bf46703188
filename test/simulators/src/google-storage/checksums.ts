/** The checksum of an object in the form of Cloud Storage: base64 of the digest. Its CRC-32C is left out. */
import { createHash } from 'node:crypto';

export function md5Of(content: Buffer): string {
  return createHash('md5').update(content).digest('base64');
}
