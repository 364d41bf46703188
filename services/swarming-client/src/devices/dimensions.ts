import type { Dimensions } from './device.ts';

const mostBytes = 256;

/**
 * Values as Swarming takes them: not empty, without blanks around, each once, at most 256 bytes. One that it does not take
 * would quarantine the bot. A key without a value is left out.
 */
export function dimensions(
  values: Readonly<Record<string, readonly (string | undefined)[]>>,
): Dimensions {
  const kept: [string, string[]][] = [];
  for (const [key, texts] of Object.entries(values)) {
    const valid = texts.map((text = '') => dimensionValue(text)).filter((text) => text !== '');
    if (valid.length > 0) kept.push([key, [...new Set(valid)]]);
  }
  return Object.fromEntries(kept);
}

function dimensionValue(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFEFF]+/gu, ' ').trim();
  let short = line;
  while (Buffer.byteLength(short) > mostBytes) short = [...short].slice(0, -1).join('');
  return short.trim();
}

/** `1.2.3` is `PREFIX`, `PREFIX-1`, `PREFIX-1.2`, `PREFIX-1.2.3`. */
export function versionsOf(prefix: string, version: string | undefined): string[] {
  const parts = version === undefined || version === '' ? [] : version.split('.');
  return [prefix, ...parts.map((_, at) => `${prefix}-${parts.slice(0, at + 1).join('.')}`)];
}
