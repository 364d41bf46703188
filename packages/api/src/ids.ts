/** Decides how short an ID of a cycle, hold or run may be. */

/** Anything shorter is probably a typing error. */
const leastLength = 4;

/** As shown in tables: `87e70961` for a UUID, `a1b2c3` for `20261121T055050Z-a1b2c3`. */
export function shortId(id: string): string {
  return /^[0-9a-f]{8}-/.test(id) ? id.slice(0, 8) : id.slice(id.lastIndexOf('-') + 1);
}

/** Whether the text is this id, its prefix, or its last part. */
export function isIdOf(id: string, written: string): boolean {
  const isShort = written.length >= leastLength;
  return id === written || (isShort && (id.startsWith(written) || id.endsWith(`-${written}`)));
}
