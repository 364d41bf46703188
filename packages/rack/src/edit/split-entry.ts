/**
 * Takes names out of an entry of several, so that they can have values that its ranges do not give: the others stay in the entry, with
 * its comments, and these get one of their own behind it, with ranges where that is possible. The rack stays the same.
 */

import { isDeepStrictEqual } from 'node:util';
import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLSeq,
} from 'yaml';
import { expandEntry } from '../ranges/expand.ts';
import { expandRange, hasRange } from '../ranges/ranges.ts';
import { escaped, type Spread, spreadOf } from '../ranges/spreading.ts';
import { spreadOfDevice } from '../schema/infrastructure-schema.ts';
import { machineSchema } from '../schema/machine-schema.ts';
import { hideRanges } from '../yaml/hidden-ranges.ts';
import { isMap as isPlainMap } from '../yaml/plain.ts';
import { readYaml } from '../yaml/yaml.ts';
import { foldValues } from './fold.ts';
import { applied, ByHand, marginOf, plain, rangeOf, type Splice, written } from './splice.ts';

/**
 * @param names all of one entry, and not all that it has
 * @throws ByHand They are not in an entry of more, or that is written in an unusual way
 */
export function splitEntry(text: string, names: readonly string[], file: string): string {
  const { hidden, show } = hideRanges(text);
  const { contents } = parseDocument(hidden, { uniqueKeys: false });
  for (const section of ['machines', 'infrastructure'] as const) {
    const map = isMap(contents) ? contents.get(section) : undefined;
    if (!isMap(map) || map.flow) continue;
    for (const pair of map.items) {
      const key = isScalar(pair.key) ? show(String(pair.key.value)) : '';
      const entry = expandRange(key);
      if (!names.every((name) => entry.includes(name))) continue;
      return splitPair(text, { section, key, pair, leaving: new Set(names), file, show });
    }
  }
  throw new ByHand(noOwn);
}

const noOwn = 'it cannot be given an entry of its own';

interface Found {
  section: 'machines' | 'infrastructure';
  key: string;
  pair: Pair;
  leaving: ReadonlySet<string>;
  file: string;
  show: (text: string) => string;
}

function splitPair(text: string, { section, key, pair, leaving, file, show }: Found): string {
  const { value: top } = readYaml(text, file);
  const entries = isPlainMap(top) ? top[section] : undefined;
  const raw = isPlainMap(entries) ? entries[key] : undefined;
  const spread = spreadOfEntry(section, raw);
  const { names, first, changes } = expandEntry([section, key], key, raw, spread);
  const stays = names.map((name) => !leaving.has(name));
  if (!stays.includes(true) || !isPlainMap(first) || !isScalar(pair.key) || !isMap(pair.value)) {
    throw new ByHand(noOwn);
  }
  const splices: Splice[] = [];
  without(pair.key, { as: 'literal', keys: new Map() }, true);
  for (const each of pair.value.items) {
    walk(each.value, isScalar(each.key) ? spread.keys.get(String(each.key.value)) : undefined);
  }
  const own = names.flatMap((name, at) =>
    leaving.has(name) ? [{ name, entry: { ...first, ...changes(at) } }] : [],
  );
  const { from } = rangeOf(pair.key);
  const margin = marginOf(text, from);
  const end = pair.value.range?.[2];
  if (end === undefined || margin.trim() !== '')
    throw new ByHand('its entry is written in an unusual way');
  const before = text[end - 1] === '\n' ? '' : '\n';
  const lines = entriesOf(own, spread).map((line) => `${margin}${line}\n`);
  splices.push({ from: end, to: end, text: `${before}${lines.join('')}` });
  return applied(text, splices);

  function walk(node: unknown, of: Spread | undefined): void {
    if (isAlias(node)) throw new ByHand(`its entry has an alias, *${node.source}`);
    if (isScalar(node)) without(node, of);
    else if (isSeq(node) && of?.as === 'each') withoutItem(node);
    else if (isSeq(node)) for (const item of node.items) walk(item, of?.items);
    else if (isMap(node)) {
      for (const each of node.items) {
        walk(each.value, isScalar(each.key) ? of?.keys.get(String(each.key.value)) : undefined);
      }
    }
  }

  /** The value of a range without those of the names. */
  function without(node: Scalar, of: Spread | undefined, isKey = false): void {
    const former = typeof node.value === 'string' ? show(node.value) : '';
    if (!hasRange(former) || (of?.as === 'literal' && !isKey)) return;
    const values = expandRange(former);
    // A range of one value is the same for all.
    if (values.length !== names.length) return;
    const folded = foldValues(values.filter((_, at) => stays[at]));
    const [only = ''] = folded;
    if (folded.length > 1 && of?.as !== 'each') {
      throw new ByHand(`no range is left of ${former} without ${[...leaving].join(', ')}`);
    }
    const by = folded.length > 1 ? `[${folded.map(plain).join(', ')}]` : written(only, text, node);
    splices.push({ ...rangeOf(node), text: by });
  }

  function withoutItem(list: YAMLSeq): void {
    let passed = 0;
    const items = list.items.map((item) => {
      if (!isScalar(item)) throw new ByHand('a list of its entry has more than texts');
      const values = typeof item.value === 'string' ? expandRange(show(item.value)) : [''];
      const kept = values.filter((_, place) => stays[passed + place]);
      passed += values.length;
      const range = rangeOf(item);
      if (kept.length === values.length) return { range, text: text.slice(range.from, range.to) };
      const [only, ...more] = foldValues(kept);
      if (more.length > 0) throw new ByHand('a list of its entry cannot be taken apart');
      return { range, text: only === undefined ? '' : written(only, text, item) };
    });
    if (list.flow) {
      const left = items.map((item) => item.text).filter((each) => each !== '');
      const range = rangeOf(list);
      if (text.slice(range.from, range.to).includes('#'))
        throw new ByHand('a list of its entry has comments');
      splices.push({ ...range, text: `[${left.join(', ')}]` });
      return;
    }
    for (const { range, text: by } of items) {
      const start = text.lastIndexOf('\n', range.from - 1) + 1;
      const stop = text.indexOf('\n', range.to);
      if (by !== '') splices.push({ ...range, text: by });
      else splices.push({ from: start, to: stop < 0 ? text.length : stop + 1, text: '' });
    }
  }
}

function spreadOfEntry(section: Found['section'], raw: unknown): Spread {
  return section === 'machines' ? spreadOf(machineSchema) : spreadOfDevice(raw);
}

/** A line for all of them, else one for each. */
function entriesOf(own: readonly { name: string; entry: unknown }[], spread: Spread): string[] {
  const [key, ...more] = foldValues(own.map(({ name }) => name));
  const entry =
    more.length > 0
      ? undefined
      : folded(
          own.map((each) => each.entry),
          spread,
        );
  if (key !== undefined && entry !== undefined) return [`${plain(key)}: ${inline(entry)}`];
  return own.map(({ name, entry }) => `${plain(name)}: ${inline(escaped(entry, spread))}`);
}

/** One value with ranges that gives these; undefined: there is none. */
function folded(values: readonly unknown[], spread: Spread | undefined): unknown {
  const [first] = values;
  if (values.every((value) => isDeepStrictEqual(value, first))) return escaped(first, spread);
  if (spread?.as === 'literal') return undefined;
  if (values.every((value) => typeof value === 'string')) {
    const texts = foldValues(values);
    return texts.length === 1 ? texts[0] : undefined;
  }
  if (values.every(Array.isArray) && spread?.as !== 'each') {
    if (values.some(({ length }) => length !== values[0]?.length)) return undefined;
    const items = (values[0] ?? []).map((_, at) =>
      folded(
        values.map((value) => value[at]),
        spread?.items,
      ),
    );
    return items.includes(undefined) ? undefined : items;
  }
  if (!values.every(isPlainMap)) return undefined;
  const keys = Object.keys(values[0] ?? {});
  if (values.some((value) => !isDeepStrictEqual(Object.keys(value), keys))) return undefined;
  const entries = keys.map((key) => [
    key,
    folded(
      values.map((value) => value[key]),
      spread?.keys.get(key),
    ),
  ]);
  return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries);
}

function inline(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  let restored = (text: string) => text;
  visit(document, {
    // A range needs no quotes.
    Scalar(_, node) {
      if (typeof node.value !== 'string' || plain(node.value) !== node.value) return;
      const { hidden, show } = hideRanges(node.value);
      if (hidden === node.value) return;
      node.value = hidden;
      restored = show;
    },
  });
  const text = document.toString({ collectionStyle: 'flow', lineWidth: 0 });
  return restored(text.trim().replaceAll(/\s*\n\s*/g, ' '));
}
