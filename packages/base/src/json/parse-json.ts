import { jsonShare, measureJson, mostPerByte } from './memory.ts';

/**
 * Parses untrusted JSON; undefined if it is malformed, or would take more than `most` bytes of memory. The error of `JSON.parse` would
 * quote it, including secrets.
 */
export function parseJson(text: string, most = jsonShare): unknown {
  const isSmall = text.length * mostPerByte <= most;
  if (!isSmall && measureJson(Buffer.from(text)).memory > most) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether `value` is an object with keys: neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
