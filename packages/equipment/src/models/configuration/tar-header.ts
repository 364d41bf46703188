/**
 * One header of a tar, as POSIX.1-2001 (ustar, pax), GNU tar and BusyBox write them.
 *
 * Sources: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".
 */
import { BackupError } from './errors.ts';

export const blockSize = 512;
const zeros = Buffer.alloc(64 * 1024);

export interface TarHeader {
  name: string;
  /** As in the header: `0` file, `5` directory, `2` link, `1` hard link; others are rejected. */
  kind: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  target: string;
}

/** Extensions before a header, for values that do not fit into it. */
export type TarExtras = Partial<Pick<TarHeader, 'name' | 'target' | 'size' | 'uid' | 'gid'>>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws BackupError It is not a header. */
export function parseHeader(block: Buffer): TarHeader {
  if (checksum(block) !== octal(block, 148, 8)) {
    throw damaged('a header is missing or has an incorrect checksum');
  }
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const kind = String.fromCharCode(block[156] ?? 0);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    // Before POSIX, NUL meant a file.
    kind: kind === '\0' ? '0' : kind,
    mode: octal(block, 100, 8) & 0o7777,
    uid: octal(block, 108, 8),
    gid: octal(block, 116, 8),
    size: octal(block, 124, 12),
    target: text(block, 157, 100),
  };
}

/** A pax header's records: `length key=value\n`. */
export function parsePax(bytes: Buffer): TarExtras {
  const extras: TarExtras = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, blank < at ? at : blank));
    const record = bytes.subarray(blank + 1, at + length);
    const equals = record.indexOf(0x3d);
    const isWhole =
      Number.isInteger(length) &&
      at + length > blank + 1 &&
      at + length <= bytes.length &&
      record.at(-1) === 0x0a;
    if (blank < at || !isWhole || equals < 1) throw damaged('a pax header is invalid');
    take(extras, record.toString('latin1', 0, equals), record.subarray(equals + 1, -1));
    at += length;
  }
  return extras;
}

function take(extras: TarExtras, key: string, value: Buffer): void {
  if (key === 'path') extras.name = decoded(value);
  else if (key === 'linkpath') extras.target = decoded(value);
  else if (key === 'size' || key === 'uid' || key === 'gid') extras[key] = decimal(value);
  // GNU sparse files, which omit holes.
  else if (key.startsWith('GNU.sparse.')) throw damaged('sparse files are not supported');
}

/** A name of any length in GNU's format, up to its NUL. */
export function parseLongName(bytes: Buffer): string {
  return text(bytes, 0, bytes.length);
}

/** @param block at most 64 KiB */
export function isZero(block: Buffer): boolean {
  return block.equals(zeros.subarray(0, block.length));
}

export function damaged(what: string): BackupError {
  return new BackupError('damaged', `the archive is not valid: ${what}`);
}

function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockSize; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return sum;
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return decoded(end < 0 ? field : field.subarray(0, end));
}

function decoded(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw damaged(`a name is not valid UTF-8: ${JSON.stringify(bytes.toString('latin1'))}`);
  }
}

function octal(block: Buffer, start: number, length: number): number {
  const field = block.subarray(start, start + length);
  // GNU's encoding of values that do not fit.
  if (((field[0] ?? 0) & 0x80) !== 0) return base256(field);
  const digits = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart();
  if (!/^[0-7]*$/.test(digits)) throw damaged('a number in a header is not valid');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function base256(field: Buffer): number {
  let value = BigInt((field[0] ?? 0) & 0x7f);
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('a number in a header is too large');
  return Number(value);
}

function decimal(bytes: Buffer): number {
  const value = Number(/^\d{1,16}$/.exec(bytes.toString('latin1'))?.[0]);
  if (!Number.isSafeInteger(value)) throw damaged('a number in a pax header is not valid');
  return value;
}
