/** Texts with ranges that stand for a list of values, in their order. */
import { expandRange } from '../ranges/ranges.ts';

/** A number that a range may stand for; of a MAC address only the last two digits. */
const numbers = /\d+/g;
const lastOctet = /(?<=^[\da-f:]{15})\d\d$/g;
const mac = /^[\da-f]{2}(?::[\da-f]{2}){5}$/;

/** `['a/1', 'a/2', 'a/9', 'b/3']` is `['a/[1-2,9]', 'b/3']`. */
export function foldValues(values: readonly string[]): string[] {
  const texts: string[] = [];
  for (let at = 0; at < values.length; ) {
    const { text, count } = longest(values.slice(at));
    texts.push(text);
    at += count;
  }
  return texts;
}

/** One text for as many of the first values as possible. */
function longest(values: readonly string[]): { text: string; count: number } {
  const [first = ''] = values;
  let best = { text: first, count: 1 };
  for (const { 0: number, index } of first.matchAll(mac.test(first) ? lastOctet : numbers)) {
    const [before, behind] = [first.slice(0, index), first.slice(index + number.length)];
    const found: string[] = [];
    for (const value of values) {
      const middle = value.slice(before.length, value.length - behind.length);
      if (`${before}${middle}${behind}` !== value || !/^\d+$/.test(middle)) break;
      found.push(middle);
    }
    const text = `${before}[${spansOf(found).join(',')}]${behind}`;
    if (found.length > 1 && found.length >= best.count && isSame(text, values, found.length)) {
      best = { text, count: found.length };
    }
  }
  return best;
}

/** `['1', '2', '9']` is `['1-2', '9']`. */
function spansOf(all: readonly string[]): string[] {
  const spans: [string, string][] = [];
  for (const number of all) {
    const last = spans.at(-1);
    const follows = last && Number(number) === Number(last[1]) + 1;
    const isEven = last && (number.length === last[0].length || !/^0./.test(last[0] + number));
    if (follows && isEven && !(/^0\d/.test(last[0]) && number.length !== last[0].length)) {
      last[1] = number;
    } else spans.push([number, number]);
  }
  return spans.map(([from, to]) => (from === to ? from : `${from}-${to}`));
}

function isSame(text: string, values: readonly string[], count: number): boolean {
  try {
    const expanded = expandRange(text);
    return expanded.length === count && expanded.every((value, at) => value === values[at]);
  } catch {
    return false;
  }
}
