/**
 * Reads LevelDB's log format (its doc/log_format.md and db/log_reader.cc, version 1.20): `*.log` and `MANIFEST-*`.
 *
 * LevelDB itself skips what is damaged in a log and says nothing, and its repair takes it without looking at the
 * checksums. Records are skipped here as LevelDB does when it opens a database, but the caller is told.
 */
import { crc32c, unmasked } from './crc32c.ts';

export interface LogRecord {
  /** Where it begins in the file. */
  start: number;
  payload: Buffer;
}

export interface Log {
  records: LogRecord[];
  /** Where the last of them ends. */
  end: number;
  /** More begins after that, as when the power is cut or the process killed while a record is written. */
  isCutShort: boolean;
  /** Bytes that are neither records nor such an end. */
  damagedBytes: number;
}

const blockSize = 32_768;
const headerSize = 7;
const kinds = { zero: 0, full: 1, first: 2, middle: 3, last: 4 };

export function readLog(bytes: Buffer): Log {
  const log: Log = { records: [], end: 0, isCutShort: false, damagedBytes: 0 };
  let begun: { start: number; parts: Buffer[] } | undefined;
  let zeros = 0;

  function add(record: LogRecord, end: number) {
    log.records.push(record);
    log.end = end;
  }

  function drop(count: number) {
    log.damagedBytes += count + size(begun?.parts ?? []);
    begun = undefined;
  }

  for (let block = 0; block < bytes.length; block += blockSize) {
    const end = Math.min(block + blockSize, bytes.length);
    let at = block;
    while (at + headerSize <= end) {
      const length = bytes.readUInt16LE(at + 4);
      const kind = bytes[at + 6];
      const next = at + headerSize + length;
      if (next > end) {
        if (end === block + blockSize) drop(end - at);
        else log.isCutShort = true;
        at = end;
        break;
      }
      if (kind === kinds.zero && length === 0) {
        // Room that the file system gave the file and that was never written: nothing, if nothing follows.
        zeros += end - at + size(begun?.parts ?? []);
        begun = undefined;
        at = end;
        break;
      }
      log.damagedBytes += zeros;
      zeros = 0;
      if (unmasked(bytes.readUInt32LE(at)) !== crc32c(bytes.subarray(at + 6, next))) {
        // Its length may be what is wrong, so nothing of this block can be trusted.
        drop(end - at);
        at = end;
        break;
      }
      const payload = bytes.subarray(at + headerSize, next);
      if (kind === kinds.full || kind === kinds.first) {
        if (begun) drop(0);
        if (kind === kinds.full) add({ start: at, payload }, next);
        else begun = { start: at, parts: [payload] };
      } else if ((kind === kinds.middle || kind === kinds.last) && begun) {
        begun.parts.push(payload);
        if (kind === kinds.last) {
          add({ start: begun.start, payload: Buffer.concat(begun.parts) }, next);
          begun = undefined;
        }
      } else {
        drop(next - at);
      }
      at = next;
    }
    // Fewer bytes than a header's: the filling of a whole block, or the end of a file that was cut short.
    if (at < end && end < block + blockSize) log.isCutShort = true;
  }
  if (begun || zeros > 0) log.isCutShort = true;
  return log;
}

function size(parts: Buffer[]) {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
