/**
 * Reads LevelDB's tables (`*.ldb`; its doc/table_format.md, version 1.20), those without compression.
 *
 * LevelDB stores a checksum for each block, and classic-level never lets it look at them.
 */
import { crc32c, unmasked } from './crc32c.ts';
import { type Entry, entryOf } from './entry.ts';
import { Cursor } from './varint.ts';

export interface Table {
  entries: Entry[];
  damagedBlocks: number;
}

const footerSize = 48;
const magic = 0xdb4775248b80fb57n;

export function readTable(bytes: Buffer): Table {
  const table: Table = { entries: [], damagedBlocks: 0 };
  const index = ifReadable(() => {
    const footer = bytes.subarray(bytes.length - footerSize);
    if (footer.readBigUInt64LE(footerSize - 8) !== magic) throw new RangeError('no table');
    const handles = new Cursor(footer);
    readBlock(bytes, handles);
    return [...entriesOfBlock(readBlock(bytes, handles))];
  });
  // Without its index a table is unreadable: where blocks begin stands nowhere else.
  if (!index) return { entries: [], damagedBlocks: 1 };

  for (const { value: handle } of index) {
    const entries = ifReadable(() =>
      [...entriesOfBlock(readBlock(bytes, new Cursor(handle)))].map(({ key, value }) =>
        entryOf(key, value),
      ),
    );
    if (entries) table.entries.push(...entries);
    else table.damagedBlocks += 1;
  }
  return table;
}

/** The block whose offset and size come next, without its trailer: kind of compression and checksum. */
function readBlock(bytes: Buffer, handle: Cursor): Buffer {
  const offset = handle.number();
  const end = offset + handle.number();
  const sum = bytes.readUInt32LE(end + 1);
  if (bytes[end] !== 0 || unmasked(sum) !== crc32c(bytes.subarray(offset, end + 1))) {
    throw new RangeError('damaged');
  }
  return bytes.subarray(offset, end);
}

/** Each key is stored as what it does not share with the one before it. */
function* entriesOfBlock(block: Buffer) {
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

/** Undefined for bytes that are not what LevelDB writes. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
