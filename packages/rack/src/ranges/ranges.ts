/**
 * Parses and expands ranges, as in `rpi-[001-040]` or `switch-1/[1-3,7]`, with a limit of names.
 *
 * A range is a pair of brackets around numbers and spans, nothing else: `[7]`, `[1-3,7]`. Leading zeros are kept.
 * Several ranges in one text give all combinations, the last varies fastest. Brackets around anything else are plain
 * text, as is a range after a backslash: `\[1-3]` is `[1-3]`.
 */

/** Limit of names of one text. */
export const maxNames = 10_000;

const range = /(\\?)\[(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)\]/g;

/** An invalid range: a reversed span, uneven zeros, too many names. */
export class RangeSyntaxError extends Error {
  readonly code = 'RANGE_SYNTAX';
}

/** Whether expanding would change the text. */
export function hasRange(text: string): boolean {
  return text.includes('[') && text.search(range) >= 0;
}

/** `a-[01-03,7]` is `['a-01', 'a-02', 'a-03', 'a-7']`. Text without a range is itself. Throws RangeSyntaxError. */
export function expandRange(text: string): string[] {
  if (!text.includes('[')) return [text];
  let names = [''];
  let end = 0;
  for (const match of text.matchAll(range)) {
    const [found, escaped, spans = ''] = match;
    const literal = text.slice(end, match.index);
    const values = escaped
      ? [found.slice(1)]
      : expandAll(spans.split(','), numbersOf, { text, most: maxNames / names.length });
    names = names.flatMap((name) => values.map((value) => name + literal + value));
    end = match.index + found.length;
  }
  const rest = text.slice(end);
  return names.map((name) => name + rest);
}

/**
 * Names or ranges from a command line, separated by commas or spaces. A remaining bracket is part of an invalid range.
 *
 * @throws RangeSyntaxError
 */
export function expandNames(text: string): string[] {
  const items = text.match(/(?:\[[^\]]*\]|[^\s,])+/g) ?? [];
  const names = expandAll(items, expandRange, { text, most: maxNames });
  if (names.some((name) => /[[\]]/.test(name))) {
    throw new RangeSyntaxError(`"${shorten(text)}" is not a range; write it like "rpi-[001-040]"`);
  }
  return names;
}

/** The text that expands to exactly the given one. */
export function escapeRange(text: string): string {
  return text.includes('[') ? text.replace(range, (found) => `\\${found}`) : text;
}

/** Stops at the limit, because a text may contain thousands of spans, each with thousands of numbers. */
function expandAll(
  parts: readonly string[],
  expand: (part: string) => string[],
  { text, most }: { text: string; most: number },
): string[] {
  const all: string[] = [];
  for (const part of parts) {
    const expanded = expand(part);
    if (all.length + expanded.length > most) {
      throw new RangeSyntaxError(`"${shorten(text)}" expands to more than ${maxNames} names`);
    }
    all.push(...expanded);
  }
  return all;
}

/** The numbers of a span, `8-11`, or of a single number. */
function numbersOf(span: string): string[] {
  const [first = '', last] = span.split('-');
  if (last === undefined) return [first];
  const from = Number(first);
  const to = Number(last);
  if (to < from) {
    throw new RangeSyntaxError(`[${span}] is reversed; did you mean [${last}-${first}]?`);
  }
  const padded = isPadded(first) || isPadded(last);
  if (padded && first.length !== last.length) {
    const width = Math.max(first.length, last.length);
    const even = `${first.padStart(width, '0')}-${last.padStart(width, '0')}`;
    const mixed = 'has numbers of different lengths, and one has leading zeros';
    throw new RangeSyntaxError(`[${span}] ${mixed}; did you mean [${even}]?`);
  }
  if (!Number.isSafeInteger(to) || to - from >= maxNames) {
    throw new RangeSyntaxError(`[${shorten(span)}] expands to more than ${maxNames} names`);
  }
  const numbers: string[] = [];
  for (let number = from; number <= to; number++) {
    numbers.push(padded ? String(number).padStart(first.length, '0') : String(number));
  }
  return numbers;
}

function isPadded(number: string): boolean {
  return number.length > 1 && number.startsWith('0');
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
