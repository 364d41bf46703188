/**
 * One line of a segment: `<checksum> <seq> <text>\n` is a record, `<checksum> - <json>\n` a note of the spool. The checksum
 * is the CRC-32 of the rest, so a damaged byte loses one line, and reading resumes at the next newline.
 */

import { crc32 } from 'node:zlib';
import { isObject } from '@skolo/base';

/** State of the spool; the first line of each segment is a note. */
export interface Note {
  /** Number of its segment; numbers only grow. */
  segment: number;
  /** Sequence number of the oldest record that is kept. */
  first: number;
  /** Sequence number of the next record that will be written. */
  next: number;
  cursors: Record<string, number>;
}

/** A longer text is rejected, so that reading needs bounded memory. */
export const longestText = 16 * 1024 * 1024;
export const space = 0x20;
const newline = 0x0a;

/** A note after its checksum. */
export function noteBody(note: Note): string {
  return `- ${JSON.stringify(note)}`;
}

const digits = Buffer.from('0123456789abcdef');

/**
 * Notes, and records from the sequence number `first`. Writes each text directly to its place in one buffer: joining
 * strings first takes twice as long.
 */
export function encodeLines(
  notes: readonly string[],
  first: number,
  texts: readonly string[],
): Buffer {
  // The last sequence number is the longest.
  const longestSeq = String(first + texts.length).length;
  let size = 0;
  for (const body of notes) size += Buffer.byteLength(body) + 10;
  for (const text of texts) size += Buffer.byteLength(text) + longestSeq + 11;
  const bytes = Buffer.allocUnsafe(size);
  let start = 0;
  for (const body of notes) start = finishLine(bytes, start, writeAt(bytes, body, start + 9));
  let seq = first;
  for (const text of texts) {
    const textAt = writeAt(bytes, `${seq} `, start + 9);
    start = finishLine(bytes, start, writeAt(bytes, text, textAt));
    seq += 1;
  }
  return bytes.subarray(0, start);
}

function writeAt(bytes: Buffer, text: string, at: number): number {
  return at + bytes.write(text, at);
}

/** Writes checksum and newline of a body. Gives the offset of the next line. */
function finishLine(bytes: Buffer, start: number, end: number): number {
  let checksum = crc32(bytes.subarray(start + 9, end));
  for (let digit = 7; digit >= 0; digit -= 1) {
    bytes[start + digit] = digits[checksum & 15] ?? 0;
    checksum >>>= 4;
  }
  bytes[start + 8] = space;
  bytes[end] = newline;
  return end + 1;
}

/** Results of `lineAt` for other lines than records. */
export const isNote = 0;
export const isDamaged = -1;

/** The sequence number, `isNote` or `isDamaged`. `end` excludes the newline. */
export function lineAt(bytes: Buffer, start: number, end: number): number {
  const body = start + 9;
  if (end < body + 2 || bytes[start + 8] !== space) return isDamaged;
  const checksum = checksumAt(bytes, start);
  if (checksum === undefined || crc32(bytes.subarray(body, end)) !== checksum) return isDamaged;
  if (bytes[body] === 0x2d && bytes[body + 1] === space) return isNote;
  let seq = 0;
  for (let position = body; position < end; position += 1) {
    const byte = bytes[position] ?? 0;
    if (byte === space) return seq > 0 ? seq : isDamaged;
    if (byte < 0x30 || byte > 0x39) return isDamaged;
    seq = seq * 10 + byte - 0x30;
  }
  return isDamaged;
}

/** Eight lower-case hexadecimal digits, or undefined. */
export function checksumAt(bytes: Buffer, start: number): number | undefined {
  let checksum = 0;
  for (let position = start; position < start + 8; position += 1) {
    const byte = bytes[position] ?? 0;
    if (byte >= 0x30 && byte <= 0x39) checksum = checksum * 16 + byte - 0x30;
    else if (byte >= 0x61 && byte <= 0x66) checksum = checksum * 16 + byte - 0x57;
    else return undefined;
  }
  return checksum;
}

/** The text of an undamaged record. */
export function textOf(bytes: Buffer, start: number, end: number, seq: number): string {
  return bytes.toString('utf8', start + 10 + String(seq).length, end);
}

/** The note of an undamaged line; undefined for a note of another version. */
export function noteOf(bytes: Buffer, start: number, end: number): Note | undefined {
  try {
    const found: unknown = JSON.parse(bytes.toString('utf8', start + 11, end));
    return isSpoolNote(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isSpoolNote(found: unknown): found is Note {
  if (!isObject(found)) return false;
  const { segment, first, next, cursors } = found;
  const isEach = [segment, first, next].every(isSequence);
  return isEach && isObject(cursors) && Object.values(cursors).every(isSequence);
}

export function isSequence(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}
