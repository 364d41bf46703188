/** Ids of cycles, holds and runs as people read and type them. */

/** A shorter text is a slip, not an id. */
const leastLength = 4;

/** What tables show: `87e70961` of a UUID, `a1b2c3` of `20261121T055050Z-a1b2c3`. */
export function shortId(id: string): string {
  return /^[0-9a-f]{8}-/.test(id) ? id.slice(0, 8) : id.slice(id.lastIndexOf('-') + 1);
}

/** Whether a person means this id: the whole of it, its beginning, or its last part. */
export function isIdOf(id: string, written: string): boolean {
  const isShort = written.length >= leastLength;
  return id === written || (isShort && (id.startsWith(written) || id.endsWith(`-${written}`)));
}
