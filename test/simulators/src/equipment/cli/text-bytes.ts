/**
 * Text as devices keep it: bytes that somebody typed, which are UTF-8 more often than not. A byte that is none is kept as a
 * lone surrogate (U+DC80 + byte - 0x80), as Python's `surrogateescape` does, so that it comes out again as it went in.
 */
const escaped = /(?<![\ud800-\udbff])[\udc80-\udcff]/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One character for one byte that is not ASCII. */
export function escapeByte(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
}

export function encodeText(text: string): Buffer {
  if (!escaped.test(text)) return Buffer.from(text);
  const pieces = text.split(/((?<![\ud800-\udbff])[\udc80-\udcff]+)/);
  return Buffer.concat(
    pieces.map((piece, i) =>
      i % 2 === 0
        ? Buffer.from(piece)
        : Buffer.from([...piece].map((character) => character.charCodeAt(0) - 0xdc00)),
    ),
  );
}

export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return Array.from(bytes, escapeByte).join('');
  }
}
