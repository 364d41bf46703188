/**
 * Reads the files of a closed LevelDB database, without compression (LevelDB 1.20, doc/log_format.md, doc/table_format.md,
 * db/version_edit.cc), for `migrate-leveldb.ts`. To be deleted with that, in the next minor version.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '@skolo/errors';

export interface LevelDb {
  /** The newest value of each key. */
  records: Map<string, Buffer>;
  /** Short descriptions of damage. */
  problems: string[];
  /** The last change is incomplete: a power cut, a kill, or a truncated log. */
  isCutShort: boolean;
}

/** @throws Error Of the system: a file may not be read. */
export async function readLevelDb(folder: string): Promise<LevelDb> {
  const names = await readdir(folder);
  const problems: string[] = [];
  let isCutShort = false;
  const newest = new Map<string, { sequence: bigint; value: Buffer | undefined }>();

  async function read(name: string): Promise<Buffer> {
    try {
      return await readFile(join(folder, name));
    } catch (error) {
      const code = errorCode(error) ?? 'unknown';
      if (!['EIO', 'ENOENT', 'EISDIR'].includes(code)) throw error;
      problems.push(`${name} cannot be read (${code})`);
      return Buffer.alloc(0);
    }
  }

  async function currentManifest(): Promise<Manifest | undefined> {
    const current = names.includes('CURRENT') ? (await read('CURRENT')).toString('latin1') : '';
    const name = current.trimEnd();
    if (!/^MANIFEST-\d+$/.test(name) || !names.includes(name)) {
      problems.push('CURRENT names no manifest');
      return undefined;
    }
    const log = readLog(await read(name));
    try {
      if (log.isCutShort || log.isDamaged || log.records.length === 0) throw new RangeError();
      return readManifest(log.records);
    } catch {
      problems.push(`${name} is damaged`);
      return undefined;
    }
  }

  function visit({ key, sequence, value }: Entry) {
    const known = newest.get(key);
    if (known === undefined || known.sequence < sequence) newest.set(key, { sequence, value });
  }

  const tables = numbered(names, /^(\d+)\.ldb$/);
  const logs = numbered(names, /^(\d+)\.log$/);
  const isThere = tables.size + logs.size > 0 || names.includes('CURRENT');
  // Without a manifest, all tables and logs count.
  const manifest = isThere ? await currentManifest() : undefined;
  for (const number of manifest?.tables ?? tables.keys()) {
    const name = tables.get(number);
    if (name === undefined) problems.push(`table ${number} is missing`);
    else {
      const blocks = readTable(await read(name));
      if (blocks.includes(undefined)) problems.push(`${name} is damaged`);
      for (const entries of blocks) entries?.forEach(visit);
    }
  }
  const firstLog = manifest?.firstLog ?? 0;
  if (firstLog > 0 && !logs.has(firstLog)) problems.push(`log ${firstLog} is missing`);
  for (const [number, name] of logs) {
    if (number < firstLog) continue;
    const log = readLog(await read(name));
    isCutShort ||= log.isCutShort;
    if (log.isDamaged) problems.push(`${name} is damaged`);
    for (const batch of log.records) {
      const entries = ifReadable(() => entriesOfBatch(batch));
      if (entries === undefined) problems.push(`${name}: an unreadable record`);
      entries?.forEach(visit);
    }
  }
  const records = new Map<string, Buffer>();
  for (const [key, { value }] of newest) if (value !== undefined) records.set(key, value);
  return { records, problems, isCutShort };
}

/** Names by number, in the numbers' order. */
function numbered(names: string[], pattern: RegExp): Map<number, string> {
  const found = names.flatMap((name): [number, string][] => {
    const digits = pattern.exec(name)?.[1];
    return digits === undefined ? [] : [[Number(digits), name]];
  });
  return new Map(found.sort(([left], [right]) => left - right));
}

/** One version of a key; undefined where it was deleted. */
interface Entry {
  key: string;
  sequence: bigint;
  value: Buffer | undefined;
}

const isValue = 1;

function entriesOfBatch(batch: Buffer): Entry[] {
  const first = batch.readBigUInt64LE(0);
  const cursor = new Cursor(batch.subarray(12));
  const entries: Entry[] = [];
  while (!cursor.isAtEnd) {
    const kind = cursor.number();
    const key = cursor.string().toString();
    if (kind > isValue) throw new RangeError(`kind ${kind}`);
    const value = kind === isValue ? cursor.string() : undefined;
    entries.push({ key, value, sequence: first + BigInt(entries.length) });
  }
  if (entries.length !== batch.readUInt32LE(8)) throw new RangeError('not all operations');
  return entries;
}

interface Log {
  records: Buffer[];
  isCutShort: boolean;
  isDamaged: boolean;
}

const blockSize = 32_768;
const headerSize = 7;
const kinds = { full: 1, first: 2, last: 4 };

function readLog(bytes: Buffer): Log {
  const log: Log = { records: [], isCutShort: false, isDamaged: false };
  let parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const room = blockSize - (at % blockSize);
    const rest = bytes.subarray(at, at + room);
    const size = rest.length < headerSize ? room : headerSize + rest.readUInt16LE(4);
    const kind = rest[6] ?? 0;
    const isFirst = kind === kinds.full || kind === kinds.first;
    // Room that was never written is zeros.
    const isEnd = size > rest.length && rest.length < room;
    if (isEnd || (kind === 0 && bytes.subarray(at).every((byte) => byte === 0))) {
      return { ...log, isCutShort: true };
    }
    if (room < headerSize) {
      at += room;
    } else if (size > room || checksumAt(rest, 0) !== crc32c(rest.subarray(6, size))) {
      // Its size may be what is wrong, so nothing of this block can be trusted.
      log.isDamaged = true;
      parts = [];
      at += room;
    } else {
      if (isFirst === parts.length > 0) log.isDamaged = true;
      if (isFirst) parts = [];
      if (isFirst || parts.length > 0) parts.push(rest.subarray(headerSize, size));
      if (parts.length > 0 && (kind === kinds.full || kind === kinds.last)) {
        log.records.push(Buffer.concat(parts.splice(0)));
      }
      at += size;
    }
  }
  return { ...log, isCutShort: parts.length > 0 };
}

/** Which tables, and which logs from which number on, make up the database. */
interface Manifest {
  tables: Set<number>;
  firstLog: number;
}

/** What follows each tag: numbers and strings. */
const fields = new Map([
  [1, 's'],
  [2, 'n'],
  [3, 'n'],
  [4, 'n'],
  [5, 'ns'],
  [6, 'nn'],
  [7, 'nnnss'],
  [9, 'n'],
]);

function readManifest(records: Buffer[]): Manifest {
  const manifest: Manifest = { tables: new Set(), firstLog: 0 };
  for (const record of records) {
    for (const edit = new Cursor(record); !edit.isAtEnd; ) {
      const tag = edit.number();
      const kinds = fields.get(tag);
      if (kinds === undefined) throw new RangeError(`unknown tag ${tag}`);
      const [first, second] = [...kinds].map((kind) =>
        kind === 'n' ? edit.number() : edit.string().length,
      );
      if (tag === 2) manifest.firstLog = first ?? 0;
      if (tag === 6) manifest.tables.delete(second ?? 0);
      if (tag === 7) manifest.tables.add(second ?? 0);
    }
  }
  return manifest;
}

const footerSize = 48;
const magic = 0xdb4775248b80fb57n;

/** Undefined for each block that is damaged. Without its index a table has none: where blocks begin stands nowhere else. */
function readTable(bytes: Buffer): (Entry[] | undefined)[] {
  const index = ifReadable(() => {
    const footer = bytes.subarray(-footerSize);
    if (footer.readBigUInt64LE(footerSize - 8) !== magic) throw new RangeError('no table');
    const handles = new Cursor(footer);
    blockAt(bytes, handles);
    return [...pairsOf(blockAt(bytes, handles))];
  });
  if (!index) return [undefined];
  return index.map(({ value }) =>
    ifReadable(() => [...pairsOf(blockAt(bytes, new Cursor(value)))].map(entryOf)),
  );
}

/** The block whose offset and size come next, without its trailer: kind of compression and checksum. */
function blockAt(bytes: Buffer, handle: Cursor): Buffer {
  const offset = handle.number();
  const end = offset + handle.number();
  const checksum = checksumAt(bytes, end + 1);
  if (bytes[end] !== 0 || checksum !== crc32c(bytes.subarray(offset, end + 1))) {
    throw new RangeError('damaged');
  }
  return bytes.subarray(offset, end);
}

/** Each key is stored as what it does not share with the one before it. */
function* pairsOf(block: Buffer) {
  const restarts = block.readUInt32LE(block.length - 4);
  const cursor = new Cursor(block.subarray(0, block.length - 4 - 4 * restarts));
  let key: Buffer = Buffer.alloc(0);
  while (!cursor.isAtEnd) {
    const shared = cursor.number();
    const unshared = cursor.number();
    const length = cursor.number();
    key = Buffer.concat([key.subarray(0, shared), cursor.take(unshared)]);
    yield { key, value: cursor.take(length) };
  }
}

/** The key of a table ends with eight bytes: sequence and kind. */
function entryOf({ key, value }: { key: Buffer; value: Buffer }): Entry {
  const tail = key.readBigUInt64LE(key.length - 8);
  return {
    key: key.subarray(0, -8).toString(),
    value: Number(tail & 0xffn) === isValue ? value : undefined,
    sequence: tail >> 8n,
  };
}

/** Undefined for bytes that are not what LevelDB writes. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Numbers and strings as util/coding.h writes them. Throws RangeError past the end. */
class Cursor {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes.readUInt8(this.at);
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError('past the end');
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  string(): Buffer {
    return this.take(this.number());
  }
}

/** CRC-32C (RFC 3720, appendix B.4); Node's zlib has only the other CRC-32. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Checksums are stored rotated and shifted (util/crc32c.h, `Unmask`). */
function checksumAt(bytes: Buffer, at: number): number {
  const rotated = (bytes.readUInt32LE(at) - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
