/**
 * Decides which dimensions Swarming accepts, by its rules: a key of `[a-zA-Z_.-][0-9a-zA-Z_.-]*`, up to 64 characters; values of 1 to
 * 256 bytes without blanks around them; no duplicates, and at least one. A single violation quarantines the bot and drops all dimensions
 * of that request (luci-go, swarming/server/validate).
 */
import type { Dimensions } from './devices/device.ts';

const keys = /^[a-zA-Z_.-][0-9a-zA-Z_.-]{0,63}$/;
const mostValueBytes = 256;
/** Everything that Go, Python or JavaScript treats as blank, and everything unprintable. */
const outerBlanks = /^[\s\p{Z}\p{Cc}]+|[\s\p{Z}\p{Cc}]+$/gu;

const breaks = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFEFF]+/gu;

/** The valid part, with later entries replacing earlier ones; entries without a valid part are omitted. */
export function validDimensions(
  entries: Iterable<readonly [key: string, values: unknown]>,
): Dimensions {
  const valid = new Map<string, string[]>();
  for (const [key, values] of entries) {
    const texts = validValues(values);
    if (keys.test(key) && texts.length > 0) valid.set(key, texts);
  }
  return Object.fromEntries(valid);
}

function validValues(values: unknown): string[] {
  if (!Array.isArray(values)) return [];
  const texts = values.filter((value) => typeof value === 'string');
  return [...new Set(texts.map(validValue))].filter((text) => text !== '');
}

function validValue(text: string): string {
  return cutText(text.replace(outerBlanks, ''), mostValueBytes).replace(outerBlanks, '');
}

/** The text, or as many complete characters as fit into this many bytes. */
export function cutText(text: string, mostBytes: number): string {
  const bytes = Buffer.from(text);
  // An incomplete character at the end is dropped, and half a surrogate pair becomes a complete character.
  const cut = bytes.length <= mostBytes ? bytes : bytes.subarray(0, lastWhole(bytes, mostBytes));
  return cut.toString();
}

/** The start of the character that the byte at `at` belongs to. */
function lastWhole(bytes: Buffer, at: number): number {
  let start = at;
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--;
  return start;
}

/** A device's dimensions, one value per line. */
export function dimensions(
  values: Readonly<Record<string, readonly (string | undefined)[]>>,
): Dimensions {
  const lines = Object.entries(values).map(([key, texts]) => {
    return [key, texts.map((text = '') => text.replace(breaks, ' '))] as const;
  });
  return validDimensions(lines);
}

/** `1.2.3` becomes `PREFIX`, `PREFIX-1`, `PREFIX-1.2`, `PREFIX-1.2.3`. */
export function versionsOf(prefix: string, version: string | undefined): string[] {
  const parts = version === undefined || version === '' ? [] : version.split('.');
  return [prefix, ...parts.map((_, at) => `${prefix}-${parts.slice(0, at + 1).join('.')}`)];
}
