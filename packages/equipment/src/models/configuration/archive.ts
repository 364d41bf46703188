/**
 * Reads a tar with many files of a device. It may be large and hostile: it is read in place, never as a whole, and paths that lead out of
 * it are rejected.
 */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { errorText, inTurns } from '@skolo/base';
import type { Content } from '../contract/backup.ts';
import {
  blockSize,
  damaged,
  isZero,
  parseHeader,
  parseLongName,
  parsePax,
  type TarExtras,
  type TarHeader,
} from './tar-header.ts';

/** A file, directory or link in an archive. */
export interface TarMember extends Pick<TarHeader, 'name' | 'mode' | 'uid' | 'gid' | 'size'> {
  /** A `hard-link` has no content: that is in the member named by `target`, which precedes it. */
  type: 'file' | 'folder' | 'link' | 'hard-link';
  /** A link's target, as written. */
  target?: string | undefined;
  /** Offset of its content in the archive. */
  offset: number;
}

const mostMembers = 20_000;
const longestName = 4096;
/** Limit of all names, targets, directories, and extended headers together, in characters. */
const longestNames = 64 * 1024 * 1024;
/** Names and pax records before a header; a name has at most 4 KiB. */
const longestExtra = 64 * 1024;
const kinds: Readonly<Record<string, TarMember['type']>> = {
  '0': 'file',
  '7': 'file',
  '5': 'folder',
  '2': 'link',
  '1': 'hard-link',
};

/**
 * All members, in archive order. Of several with one name, only the last, as tar unpacks them: programs append newer files, or list one
 * twice. A complete archive ends with two blocks of zeros.
 *
 * @throws BackupError `damaged`: it is truncated or damaged; a name leads out of it, or is below a link; it contains anything
 * but files, directories and links; it has more members than `most`.
 */
export async function readTar(content: Content, most = mostMembers): Promise<TarMember[]> {
  using source = open(content);
  const members = new Members();
  await inTurns(entriesOf(source, most), (entry) => members.add(entry));
  return members.all;
}

/** The same at once, for a few MiB. */
export function readSmallTar(bytes: Buffer): TarMember[] {
  using source = open({ bytes });
  const members = new Members();
  for (const entry of entriesOf(source, mostMembers)) members.add(entry);
  return members.all;
}

/** Why it cannot be a complete archive, for people, or the result of `lacks` for its members; undefined if it is complete. */
export async function tarFault(
  content: Content,
  lacks: (members: readonly TarMember[]) => string | undefined = () => undefined,
): Promise<string | undefined> {
  try {
    return lacks(await readTar(content));
  } catch (error) {
    return errorText(error);
  }
}

/** A file's content. */
export function memberBytes(content: Content, member: TarMember): Buffer {
  using source = open(content);
  return Buffer.from(source.read(member.offset, member.size));
}

/** The same for any size. */
export function memberStream(content: Content, { offset, size }: TarMember): Readable {
  if (size === 0) return Readable.from([]);
  if ('bytes' in content) return Readable.from([content.bytes.subarray(offset, offset + size)]);
  return createReadStream(content.file, { start: offset, end: offset + size - 1 });
}

/** An archive's bytes by position. */
interface Source extends Disposable {
  size: number;
  /** @throws BackupError It is too short. */
  read(offset: number, length: number): Buffer;
}

function open(content: Content): Source {
  if ('bytes' in content) {
    const { bytes } = content;
    const read = (offset: number, length: number) =>
      whole(bytes.subarray(offset, offset + length), length);
    return { size: bytes.length, read, [Symbol.dispose]: () => undefined };
  }
  const fd = openSync(content.file, 'r');
  return {
    size: fstatSync(fd).size,
    read(offset, length) {
      const bytes = Buffer.alloc(length);
      return whole(bytes.subarray(0, readSync(fd, bytes, 0, length, offset)), length);
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function whole(bytes: Buffer, length: number): Buffer {
  if (bytes.length < length) throw damaged('it is truncated');
  return bytes;
}

/** A member, or the length of an extended header. */
function* entriesOf(source: Source, most: number): Generator<TarMember | number> {
  let extras: TarExtras = {};
  let count = 0;
  for (let at = 0; ; ) {
    if (at >= source.size) throw damaged('it is truncated (the end marker is missing)');
    const block = source.read(at, blockSize);
    if (isZero(block)) {
      checkEnd(source, at);
      return;
    }
    const header = parseHeader(block);
    const offset = at + blockSize;
    if ('xgLK'.includes(header.kind)) {
      if (header.size > longestExtra) throw damaged('a name or pax header is too long');
      extras = { ...extras, ...extrasOf(header.kind, source.read(offset, header.size)) };
      at = offset + padded(header.size);
      yield at - offset;
      continue;
    }
    const member = memberOf({ ...header, ...extras }, offset);
    extras = {};
    yield member;
    count += 1;
    if (count > most) throw damaged(`it contains more than ${most} members; exclude files`);
    at = offset + padded(member.size);
    if (at > source.size) throw damaged(`it ends in the middle of ${member.name}`);
  }
}

class Members {
  private readonly found = new Map<string, TarMember>();
  private readonly names = new Names();

  get all(): TarMember[] {
    return [...this.found.values()];
  }

  add(entry: TarMember | number): void {
    if (typeof entry === 'number') {
      this.names.count(blockSize + entry);
      return;
    }
    const { name, type, target } = entry;
    // GNU tar's form of a file that it was told to add twice.
    if (type === 'hard-link' && target === name && this.found.get(name)?.type === 'file') return;
    this.names.add(entry);
    this.found.delete(name);
    this.found.set(name, entry);
  }
}

/** Two blocks of zeros, followed only by zeros. */
function checkEnd(source: Source, start: number): void {
  if (start + 2 * blockSize > source.size)
    throw damaged('it is truncated (half of the end marker is missing)');
  for (let at = start; at < source.size; at += 64 * 1024) {
    const rest = source.read(at, Math.min(64 * 1024, source.size - at));
    if (!isZero(rest)) throw damaged('there is data after the end marker');
  }
}

function extrasOf(kind: string, bytes: Buffer): TarExtras {
  if (kind === 'L') return { name: parseLongName(bytes) };
  if (kind === 'K') return { target: parseLongName(bytes) };
  const extras = parsePax(bytes);
  // Global headers, which these members do not need.
  if (kind === 'g' && Object.keys(extras).length > 0)
    throw damaged('global pax headers are not supported');
  return extras;
}

function memberOf(header: TarHeader, offset: number): TarMember {
  const name = header.name.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '');
  const isOldFolder = header.kind === '0' && header.name.endsWith('/');
  const type = isOldFolder ? 'folder' : kinds[header.kind];
  if (type === undefined) throw damaged(`${name} is not a file, directory or link`);
  const isLink = type === 'link' || type === 'hard-link';
  const target = type === 'hard-link' ? header.target.replace(/^(?:\.\/+)+/, '') : header.target;
  return {
    name: name === '' ? '.' : name,
    type,
    mode: header.mode,
    uid: header.uid,
    gid: header.gid,
    size: type === 'file' ? header.size : 0,
    ...(isLink && { target }),
    offset,
  };
}

/** Rejects names that would be unpacked elsewhere. */
class Names {
  private readonly types = new Map<string, TarMember['type']>();
  /** Files to which hard links refer. */
  private readonly linked = new Set<string>();
  /** Directories that contain members, whether they are members or not. */
  private readonly folders = new Set<string>();
  private length = 0;

  add({ name, type, target = '' }: TarMember): void {
    const quoted = JSON.stringify(name);
    if (name.length > longestName || target.length > longestName) {
      throw damaged('a name is too long');
    }
    if (/\0/.test(name + target)) throw damaged(`${quoted} contains a NUL`);
    const parts = name.split('/');
    if (parts.includes('..') || parts.includes(''))
      throw damaged(`${quoted} points outside the archive`);
    if (this.linked.has(name)) throw damaged(`${quoted} occurs again after a hard link to it`);
    if (type === 'hard-link' && this.types.get(target) !== 'file') {
      throw damaged(`${quoted} refers to ${JSON.stringify(target)}, which is not an earlier file`);
    }
    if (type === 'hard-link') this.linked.add(target);
    if (type !== 'folder' && this.folders.has(name)) {
      throw damaged(`${quoted} is a ${type}, but contains other members`);
    }
    this.count(name.length + target.length);
    for (let end = name.indexOf('/'); end >= 0; end = name.indexOf('/', end + 1)) {
      this.count(end);
      const folder = name.slice(0, end);
      const above = this.types.get(folder) ?? 'folder';
      if (above !== 'folder') throw damaged(`${quoted} is inside a ${above}`);
      this.folders.add(folder);
    }
    this.types.set(name, type);
  }

  count(length: number): void {
    this.length += length;
    if (this.length > longestNames) throw damaged('its names are too long');
  }
}

export function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}
