/** The part of ASN.1's Basic Encoding Rules (X.690) that SNMP uses, written anew: a simulator proves nothing of a library that both sides share. */

export const tags = {
  integer: 0x02,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  counter: 0x41,
  gauge: 0x42,
  ticks: 0x43,
  noSuchObject: 0x80,
  noSuchInstance: 0x81,
  endOfMibView: 0x82,
} as const;

/** One element: its tag, what is in it, and where that begins in the buffer that was read. */
interface Element {
  tag: number;
  content: Buffer;
  start: number;
}

/** Reads elements one after the other. @throws RangeError when the bytes are no BER, or not what was expected. */
export class BerReader {
  private readonly buffer: Buffer;
  private readonly base: number;
  private offset = 0;

  constructor(buffer: Buffer, base = 0) {
    this.buffer = buffer;
    this.base = base;
  }

  get atEnd(): boolean {
    return this.offset >= this.buffer.length;
  }

  read(expected?: number): Element {
    const tag = this.byte();
    let length = this.byte();
    if (length > 0x84 || length === 0x80) throw new RangeError('no BER: bad length');
    if (length > 0x80) {
      const bytes = length & 0x7f;
      length = 0;
      for (let i = 0; i < bytes; i += 1) length = length * 256 + this.byte();
    }
    const start = this.offset;
    if (start + length > this.buffer.length) throw new RangeError('no BER: cut short');
    if (expected !== undefined && tag !== expected)
      throw new RangeError(`not expected: tag ${tag}`);
    this.offset = start + length;
    return { tag, content: this.buffer.subarray(start, this.offset), start: this.base + start };
  }

  integer(): number {
    return toInteger(this.read(tags.integer).content);
  }

  octets(): Buffer {
    return this.read(tags.octets).content;
  }

  sequence(tag: number = tags.sequence): BerReader {
    const { content, start } = this.read(tag);
    return new BerReader(content, start);
  }

  private byte(): number {
    const value = this.buffer[this.offset];
    if (value === undefined) throw new RangeError('no BER: cut short');
    this.offset += 1;
    return value;
  }
}

export function toInteger(content: Buffer): number {
  if (content.length === 0 || content.length > 5) throw new RangeError('no BER: bad integer');
  return content.readIntBE(0, content.length);
}

export function toOid(content: Buffer): string {
  const parts: number[] = [];
  let part = 0;
  for (const byte of content) {
    part = part * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    parts.push(part);
    part = 0;
  }
  const [first = 0, ...rest] = parts;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...rest].join('.');
}

export function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  let head = [tag, length];
  if (length > 0xff) head = [tag, 0x82, length >> 8, length & 0xff];
  else if (length > 0x7f) head = [tag, 0x81, length];
  return Buffer.concat([Buffer.from(head), content]);
}

/** Signed, in as few bytes as it fits; counters and gauges, too, which are never negative. */
export function encodeInteger(value: number, tag: number = tags.integer): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeIntBE(value, 0, 6);
  let from = 0;
  while (from < 5) {
    const [here = 0, next = 0] = bytes.subarray(from);
    if (here !== (next & 0x80 ? 0xff : 0)) break;
    from += 1;
  }
  return encode(tag, bytes.subarray(from));
}

export function encodeOctets(value: string | Buffer): Buffer {
  return encode(tags.octets, Buffer.from(value));
}

export function encodeOid(oid: string): Buffer {
  const [top = 0, second = 0, ...rest] = oid.split('.').map(Number);
  const bytes = [top * 40 + second, ...rest].flatMap((part) => {
    const septets = [part & 0x7f];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) {
      septets.unshift((left & 0x7f) | 0x80);
    }
    return septets;
  });
  return encode(tags.oid, Buffer.from(bytes));
}
