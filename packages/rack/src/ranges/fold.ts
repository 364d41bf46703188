/** Texts with ranges for a list of values: the inverse of `expandRange`. */
import { expandRange, RangeSyntaxError } from './ranges.ts';

/** Alternates text and numbers or ranges: odd indices are numbers. */
interface Pattern {
  parts: string[];
  /** Of values. */
  count: number;
}

/** `['a/1', 'a/2', 'a/9', 'b/3']` is `['a/[1-2,9]', 'b/3']`: in the same order, and as few as possible. */
export function foldValues(values: readonly string[]): string[] {
  let patterns = values.map((value): Pattern => ({ parts: value.split(/(\d+)/), count: 1 }));
  for (let before = Number.POSITIVE_INFINITY; patterns.length < before; ) {
    before = patterns.length;
    patterns = foldOnce(patterns);
  }
  let at = 0;
  return patterns.flatMap(({ parts, count }) => {
    const own = values.slice(at, at + count);
    at += count;
    const text = parts.join('');
    return isSame(text, own) ? text : own;
  });
}

/** Sorted and folded to ranges: `rpi-[001-040],spare`. */
export function foldNames(names: readonly string[]): string {
  if (names.length <= 1) return names.join('');
  const sorted = [...new Set(names)].sort(byNumber);
  // Groups by form first, so that machines and their phones do not alternate.
  const alike = Map.groupBy(sorted, (name) => name.replaceAll(/\d+/g, '0'));
  return foldValues([...alike.values()].flat()).join(',');
}

const collator = new Intl.Collator('en', { numeric: true });

/** `rpi-9` before `rpi-10`. */
export function byNumber(a: string, b: string): number {
  return collator.compare(a, b);
}

/** Joins neighbours that differ in one number. */
function foldOnce(patterns: readonly Pattern[]): Pattern[] {
  const folded: Pattern[] = [];
  for (let start = 0; start < patterns.length; ) {
    const first = patterns[start] ?? { parts: [], count: 0 };
    const place = onlyDifference(first, patterns[start + 1]);
    let end = start + 1;
    while (place >= 0 && onlyDifference(first, patterns[end]) === place) end++;
    const alike = patterns.slice(start, end);
    const spans = spansOf(alike.map(({ parts }) => parts[place] ?? ''));
    folded.push(
      alike.length === 1
        ? first
        : {
            parts: first.parts.with(place, `[${spans.join(',')}]`),
            count: first.count * alike.length,
          },
    );
    start = end;
  }
  return folded;
}

/** The only odd index at which two patterns differ, with plain numbers there and ranges only after it; else -1. */
function onlyDifference({ parts: a }: Pattern, b: Pattern | undefined): number {
  if (b === undefined || a.length !== b.parts.length) return -1;
  const differing = a.flatMap((part, i) => (part === b.parts[i] ? [] : [i]));
  const [place = -1] = differing;
  const isNumber = [a[place], b.parts[place]].every((part) => /^\d+$/.test(part ?? ''));
  if (differing.length !== 1 || place % 2 !== 1 || !isNumber) return -1;
  return a.slice(0, place).some((part) => part.startsWith('[')) ? -1 : place;
}

/** `['1', '2', '9']` is `['1-2', '9']`. */
function spansOf(all: readonly string[]): string[] {
  const spans: [from: string, to: string][] = [];
  for (const number of all) {
    const last = spans.at(-1);
    if (last !== undefined && follows(last, number)) last[1] = number;
    else spans.push([number, number]);
  }
  return spans.map(([from, to]) => (from === to ? from : `${from}-${to}`));
}

function follows([from, to]: readonly string[], number: string): boolean {
  const isPadded = [from, number].some((each) => /^0\d/.test(each ?? ''));
  return Number(number) === Number(to) + 1 && (!isPadded || number.length === from?.length);
}

function isSame(text: string, values: readonly string[]): boolean {
  try {
    const expanded = expandRange(text);
    return expanded.length === values.length && expanded.every((each, i) => each === values[i]);
  } catch (error) {
    if (error instanceof RangeSyntaxError) return false;
    throw error;
  }
}
