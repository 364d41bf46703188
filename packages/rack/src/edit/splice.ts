/** Replaces pieces of a text in place. */
import { type Node, parse, type Scalar } from 'yaml';
import { hideRanges } from '../yaml/hidden-ranges.ts';

export interface Splice {
  from: number;
  to: number;
  text: string;
}

/** Why an edit must be made manually. */
export class ByHand extends Error {
  readonly code = 'BY_HAND';
}

export function rangeOf({ range }: Pick<Node, 'range'>): { from: number; to: number } {
  const [from, to] = range ?? [];
  if (from === undefined || to === undefined)
    throw new ByHand('the value cannot be located in the text');
  return { from, to };
}

/** The text before it on its line. */
export function marginOf(text: string, from: number): string {
  return text.slice(text.lastIndexOf('\n', from - 1) + 1, from);
}

/** With its original quotes. */
export function written(value: string, text: string, scalar: Scalar): string {
  const quote = text[rangeOf(scalar).from];
  return quote === '"' || quote === "'" ? `${quote}${value}${quote}` : plain(value);
}

/** In quotes only if YAML requires them. */
export function plain(value: string): string {
  const { hidden } = hideRanges(value);
  const isPlain = /^[\w./][\w./:@-]*$/.test(hidden.replace(/[\uE6A0-\uE6A2]/g, ''));
  // A serial number may look like a number.
  const isRead = isPlain && ['string', 'boolean'].includes(typeof parse(hidden));
  return isRead ? value : JSON.stringify(value);
}

export function applied(text: string, splices: readonly Splice[]): string {
  let result = text;
  for (const { from, to, text: by } of [...splices].sort((a, b) => b.from - a.from)) {
    result = `${result.slice(0, from)}${by}${result.slice(to)}`;
  }
  return result;
}
