/** What a part of rack.yaml mentions, whatever its shape: it has a mistake somewhere. */
import { canonicalAddress } from '../network-fields.ts';
import { isMap } from '../plain.ts';
import { expandRange, RangeSyntaxError } from '../ranges.ts';

/** All texts of a value, keys included. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  if (isMap(value))
    return Object.entries(value).flatMap(([key, item]) => [key, ...stringsIn(item)]);
  return [];
}

/** The texts that are IP addresses, or ranges of them. */
export function normalAddressesIn(texts: readonly string[]): string[] {
  return texts.flatMap(expanded).flatMap((text) => canonicalAddress(text.trim()) ?? []);
}

function expanded(text: string): string[] {
  if (!text.includes('[')) return [text];
  try {
    return expandRange(text);
  } catch (error) {
    if (!(error instanceof RangeSyntaxError)) throw error;
    return [];
  }
}
