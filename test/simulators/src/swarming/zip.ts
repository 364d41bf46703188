/** A writer of zip files: the same members make the same bytes. Format: APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  name: string;
  content: Buffer;
}

const versionNeeded = 20;
const deflated = 8;
/** 1980-01-01, the first date that the format knows. */
const date = 0x21;

/** All members compressed, sorted by name. */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of sorted(members)) {
    const data = deflateRawSync(content);
    const facts = factsOf(name, content, data);
    const local = Buffer.concat([signature(0x04034b50), facts, Buffer.from(name), data]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(0o100644 * 0x10000, 6);
    place.writeUInt32LE(offset, 10);
    const madeBy = Buffer.from([versionNeeded, 3]); // on Unix, so that modes are believed
    directory.push(signature(0x02014b50), madeBy, facts, place, Buffer.from(name));
    parts.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(index.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, index, signature(0x06054b50), end]);
}

export function sorted(members: readonly ZipMember[]): ZipMember[] {
  return [...members].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

/** What a member's own header and its entry in the directory have in common. */
function factsOf(name: string, content: Buffer, data: Buffer): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(versionNeeded, 0);
  facts.writeUInt16LE(deflated, 4);
  facts.writeUInt16LE(date, 8);
  facts.writeUInt32LE(crc32(content), 10);
  facts.writeUInt32LE(data.length, 14);
  facts.writeUInt32LE(content.length, 18);
  facts.writeUInt16LE(Buffer.byteLength(name), 22);
  return facts;
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
