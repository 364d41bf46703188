/** The part of ASN.1's basic encoding rules that SNMP uses (ITU-T X.690; RFC 3417, section 8). */

export interface Element {
  tag: number;
  content: Buffer;
  /** Position of its tag: offset in the underlying memory. */
  start: number;
}

export const tags = { integer: 0x02, text: 0x04, oid: 0x06, sequence: 0x30 };

/** More than any message has. */
const mostElements = 1000;

/** A sequence of elements. Agents pad lengths (node-net-snmp issue 5). @throws RangeError There is something else. */
export function elements(buffer: Buffer): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < buffer.length) {
    const start = buffer.byteOffset + at;
    const tag = buffer.readUInt8(at);
    let length = buffer.readUInt8(at + 1);
    at += 2;
    if (length >= 0x80) {
      const bytes = length & 0x7f;
      if (bytes < 1 || bytes > 4) throw new RangeError('unsupported length');
      length = buffer.readUIntBE(at, bytes);
      at += bytes;
    }
    if (at + length > buffer.length) throw new RangeError('truncated');
    if (found.push({ tag, content: buffer.subarray(at, at + length), start }) > mostElements) {
      throw new RangeError('too many elements');
    }
    at += length;
  }
  return found;
}

/** The content of an element of that kind. @throws RangeError It is of another kind. */
export function contentOf(element: Element | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new RangeError(`no element with tag ${tag}`);
  return element.content;
}

/** @throws RangeError It is not an integer, or larger than any that is used. */
export function integerOf(element: Element | undefined): number {
  const content = contentOf(element, tags.integer);
  if (content.length < 1 || content.length > 6) throw new RangeError('not a valid integer');
  return content.readIntBE(0, content.length);
}

/** Dotted. @throws RangeError */
export function oidOf(element: Element | undefined): string {
  const content = contentOf(element, tags.oid);
  const numbers: number[] = [];
  let number = 0;
  for (const [index, byte] of content.entries()) {
    number = number * 128 + (byte & 0x7f);
    if (number > 0xffffffff) throw new RangeError('not an object identifier');
    if ((byte & 0x80) === 0) {
      numbers.push(number);
      number = 0;
    } else if (index === content.length - 1) throw new RangeError('truncated');
  }
  const [first, ...rest] = numbers;
  if (first === undefined || numbers.length > 128) throw new RangeError('not an object identifier');
  // The first two arcs share a number (X.690, 8.19.4).
  const arc = Math.min(2, Math.floor(first / 40));
  return [arc, first - arc * 40, ...rest].join('.');
}
