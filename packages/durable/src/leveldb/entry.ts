import { Cursor } from './varint.ts';

/** One version of a key: the value that it was given, or undefined where it was deleted. The highest sequence is in force. */
export interface Entry {
  key: Buffer;
  value: Buffer | undefined;
  sequence: bigint;
}

const kinds = { deletion: 0, value: 1 };

/** The key of a table: the user's, then eight bytes of sequence and kind (LevelDB 1.20, db/dbformat.h). */
export function entryOf(internalKey: Buffer, value: Buffer): Entry {
  const tail = internalKey.readBigUInt64LE(internalKey.length - 8);
  const kind = Number(tail & 0xffn);
  return {
    key: internalKey.subarray(0, -8),
    value: kind === kinds.value ? value : undefined,
    sequence: tail >> 8n,
  };
}

/**
 * The record of a log: a batch (LevelDB 1.20, db/write_batch.cc).
 *
 * @throws RangeError It is not what LevelDB writes.
 */
export function entriesOfBatch(record: Buffer): Entry[] {
  const first = record.readBigUInt64LE(0);
  const count = record.readUInt32LE(8);
  const cursor = new Cursor(record.subarray(12));
  const entries: Entry[] = [];
  while (!cursor.isAtEnd) {
    const kind = cursor.number();
    const key = cursor.string();
    if (kind !== kinds.value && kind !== kinds.deletion) throw new RangeError(`kind ${kind}`);
    const value = kind === kinds.value ? cursor.string() : undefined;
    entries.push({ key, value, sequence: first + BigInt(entries.length) });
  }
  if (entries.length !== count) throw new RangeError(`${entries.length} of ${count} operations`);
  return entries;
}
