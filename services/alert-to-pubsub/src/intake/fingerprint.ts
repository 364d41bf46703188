/**
 * Decides which alerts are the same: those with the same labels. As Alertmanager computes it (github.com/prometheus/common/model,
 * Fingerprint of a label set): FNV-1a with 64 bits over the labels sorted by name, a byte 0xff after each name and each value.
 */

const separator = 0xff;
/** The offset basis 0xcbf29ce484222325, in two parts: JavaScript multiplies 32 bits exactly, not 64. */
const offsetHigh = 0xcbf29ce4;
const offsetLow = 0x84222325;
/** The prime is 2^40 + 0x1b3. */
const primeLow = 0x1b3;

/** Reused, unless a text of megabytes has made it large. */
let scratch = Buffer.alloc(4096);
const mostKept = 65_536;

/** 16 hex digits. Labels in `without` are ignored: two Prometheus servers that watch the same targets differ only in those. */
export function fingerprintOf(
  labels: Readonly<Record<string, string>>,
  without: readonly string[] = [],
): string {
  const names = sorted(Object.keys(labels).filter((name) => !without.includes(name)));
  let end = 0;
  for (const name of names) end = write(labels[name] ?? '', write(name, end));
  let high = offsetHigh;
  let low = offsetLow;
  for (let at = 0; at < end; at += 1) {
    low ^= scratch[at] ?? 0;
    // low × 0x1b3 in two steps of 16 bits, for its carry; low × 2^40 is low × 2^8 in the upper half.
    const lower = (low & 0xffff) * primeLow;
    const upper = (low >>> 16) * primeLow + (lower >>> 16);
    high = (Math.imul(high, primeLow) + (upper >>> 16) + (low << 8)) | 0;
    low = (upper << 16) | (lower & 0xffff);
  }
  if (scratch.length > mostKept) scratch = Buffer.alloc(mostKept);
  return hex(high) + hex(low);
}

/** Writes a text and the separator; gives where the next one begins. */
function write(text: string, at: number): number {
  // At most three bytes per character; counted only if that might be too many.
  if (at + text.length * 3 + 1 > scratch.length) {
    const needed = at + Buffer.byteLength(text) + 1;
    if (needed > scratch.length) scratch = Buffer.concat([scratch.subarray(0, at)], needed * 2);
  }
  const end = writeAscii(text, at) ?? at + scratch.write(text, at);
  scratch[end] = separator;
  return end + 1;
}

/** Labels are short, so leaving JavaScript costs more than copying. Undefined: it has other characters. */
function writeAscii(text: string, at: number): number | undefined {
  const { length } = text;
  for (let place = 0; place < length; place += 1) {
    const code = text.charCodeAt(place);
    if (code > 0x7f) return undefined;
    scratch[at + place] = code;
  }
  return at + length;
}

/** By their bytes in UTF-8, as Go sorts; JavaScript sorts by UTF-16, which differs beyond U+FFFF. */
function sorted(names: string[]): string[] {
  return names.every((name) => /^[\x20-\x7e]*$/.test(name))
    ? names.sort()
    : names.sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

/** In two steps, because V8 uses its slow path for fractions when it writes a number of more than 31 bits in hexadecimal. */
function hex(half: number): string {
  return hex16(half >>> 16) + hex16(half & 0xffff);
}

function hex16(quarter: number): string {
  return (0x1_0000 + quarter).toString(16).slice(1);
}
