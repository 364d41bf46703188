/**
 * A fast reader for inventories: js-yaml, which keeps no positions and needs half the time of the full parser.
 *
 * Positions are needed only for errors. So valid files are read here, and the rest there. js-yaml accepts a little more
 * than the full parser does, and reads a few scalars otherwise. Text that could be one of these goes to the full parser.
 * A test compares the two on generated and on mutilated text.
 */
import { CORE_SCHEMA, load } from 'js-yaml';
import { hideRanges } from './hidden-ranges.ts';
import { isMap } from './plain.ts';

/** Undefined if the text needs the full parser. */
export function readPlainYaml(text: string): { value: unknown } | undefined {
  const { hidden, show } = hideRanges(text);
  if (special.test(hidden)) return undefined;
  try {
    const value = load(hidden, { schema: CORE_SCHEMA, onWarning: giveUp });
    return value === undefined ? undefined : { value: shown(value, show) };
  } catch {
    // The full parser finds the position.
    return undefined;
  }
}

/**
 * Tabs and other line ends; anchors, tags and block scalars; several documents; text after a bracket or quote that
 * js-yaml accepts; numbers that only one of the two reads.
 */
const special = new RegExp(
  [
    /[\r\t\uFEFF\0]|<</,
    /(?:^|[\s,[{:?-])(?:[&*][^\s&*"']|[!|>?])/,
    /^(?:---|\.\.\.|%)/,
    /[\]}"']#|["']:[^ \n]|[\]}] *:/,
    /\.(?:inf|nan)\b|\b0b[01_]|[-+](?:\.\d|0[xo])|(?:^|[\s,[{:+-])[\d.][\w.]*_/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'im',
);

function giveUp(): never {
  throw new TypeError('not plain');
}

/** Restores hidden ranges. */
function shown(value: unknown, show: (text: string) => string): unknown {
  if (typeof value === 'string') return show(value);
  if (Array.isArray(value)) return value.map((each) => shown(each, show));
  if (!isMap(value)) return value;
  const map: Record<string, unknown> = {};
  // Null as a key is another key for the full parser, and this one would set the prototype.
  if (Object.hasOwn(value, 'null') || Object.hasOwn(value, '__proto__')) giveUp();
  for (const key of Object.keys(value)) map[show(key)] = shown(value[key], show);
  return map;
}
