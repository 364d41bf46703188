import { crc32 } from 'node:zlib';

/**
 * A record on the disk: a checksum of key and value, a space, the value as JSON. LevelDB checks nothing when it reads,
 * and a flipped bit within a string is still JSON.
 */
export function encodeRecord(key: string, value: unknown): Buffer {
  const json: string | undefined = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`${key}: the value cannot be written as JSON`);
  return Buffer.from(`${checksum(key, json)} ${json}`);
}

/** Undefined where the bytes are not what `encodeRecord` made for that key. */
export function decodeRecord(key: string, bytes: Buffer): { value: unknown } | undefined {
  const text = bytes.toString('utf8');
  const json = text.slice(9);
  if (text.slice(0, 9) !== `${checksum(key, json)} `) return undefined;
  try {
    return { value: JSON.parse(json) };
  } catch {
    return undefined;
  }
}

function checksum(key: string, json: string) {
  return crc32(json, crc32(key)).toString(16).padStart(8, '0');
}

/** A key of our own; nobody else's begin with a NUL. Each batch puts it. */
export const lastBatchKey = '\0batch';

/** What a batch puts there ends with its number. 0 where there is no batch; undefined where it has no number. */
export function numberOfBatch(value: Buffer | undefined): number | undefined {
  if (value === undefined) return 0;
  const number = Number(/ (\d+)$/.exec(value.toString())?.[1]);
  return Number.isSafeInteger(number) ? number : undefined;
}
