/** Parses OpenPGP public keys to identify their owners. Source: RFC 4880, sections 4.2, 6.2 and 12.2. */
import { createHash } from 'node:crypto';

const publicKeyPacket = 6;

/** Fingerprints of all primary keys in an armored file, in upper case. Empty if the file cannot be parsed. */
export function fingerprintsOf(armored: string): string[] {
  const blocks = armored.matchAll(
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/g,
  );
  return [...blocks].flatMap(([, text = '']) => {
    // The last line is a checksum.
    const bytes = Buffer.from(text.replace(/\r?\n=[A-Za-z0-9+/]{4}\s*$/, ''), 'base64');
    return packetsIn(bytes).flatMap(({ tag, body }) =>
      tag === publicKeyPacket ? [fingerprintOf(body)] : [],
    );
  });
}

interface Packet {
  tag: number;
  body: Buffer;
}

function packetsIn(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes.readUInt8(at);
    const isNew = (first & 0x40) !== 0;
    const size = isNew ? newLength(bytes, at + 1) : oldLength(bytes, at + 1, first & 3);
    // Not a packet, or one in parts, which keys never are.
    if ((first & 0x80) === 0 || size === undefined) return [];
    const start = at + 1 + size.octets;
    packets.push({
      tag: isNew ? first & 0x3f : (first >> 2) & 0xf,
      body: bytes.subarray(start, start + size.length),
    });
    at = start + size.length;
  }
  return packets;
}

type Size = { length: number; octets: number } | undefined;

function oldLength(bytes: Buffer, at: number, type: number): Size {
  const octets = [1, 2, 4][type];
  if (octets === undefined || at + octets > bytes.length) return undefined;
  return { length: bytes.readUIntBE(at, octets), octets };
}

function newLength(bytes: Buffer, at: number): Size {
  const [first, second = 0] = bytes.subarray(at);
  if (first === undefined) return undefined;
  if (first < 192) return { length: first, octets: 1 };
  if (first < 224) return { length: ((first - 192) << 8) + second + 192, octets: 2 };
  if (first < 255 || at + 5 > bytes.length) return undefined;
  return { length: bytes.readUInt32BE(at + 1), octets: 5 };
}

/** Version 4, the only one that Debian 12's apt supports. Other versions do not match any fingerprint. */
function fingerprintOf(body: Buffer): string {
  if (body[0] !== 4) return `version ${body[0]}`;
  const head = Buffer.from([0x99, body.length >> 8, body.length & 0xff]);
  return createHash('sha1').update(head).update(body).digest('hex').toUpperCase();
}
