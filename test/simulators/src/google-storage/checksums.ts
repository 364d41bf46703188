/** The two checksums that Cloud Storage keeps of an object, in its form: base64 of the digest, big-endian. */
import { createHash } from 'node:crypto';

export function md5Of(content: Buffer): string {
  return createHash('md5').update(content).digest('base64');
}

/** CRC-32C (Castagnoli): RFC 3720, appendix B.4. */
export function crc32cOf(content: Buffer): string {
  let crc = 0xffff_ffff;
  for (const byte of content) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE((crc ^ 0xffff_ffff) >>> 0);
  return digest.toString('base64');
}

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1)
    value = value & 1 ? (value >>> 1) ^ 0x82f6_3b78 : value >>> 1;
  return value;
});
